import type { Repl } from '../port.ts';

/** Longest delay a timer takes, in milliseconds. */
const LONG_MS = 2 ** 31 - 1;

/**
 * Runs `work` with the host's process kept alive until it is done. Sockets and children of the backend do not keep it
 * alive, so that an idle REPL never keeps the host from ending.
 */
export async function keepingAlive<T>(work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, LONG_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** A REPL that keeps the host's process alive while it does something, and only then. */
export function keepAliveWhileBusy(repl: Repl, onClose: () => void): Repl {
  const during =
    <A extends readonly unknown[], T>(work: (...args: A) => Promise<T>): ((...args: A) => Promise<T>) =>
    (...args) =>
      keepingAlive(() => work(...args));
  return {
    info: repl.info,
    bind: during(repl.bind),
    execute: during(repl.execute),
    bash: during(repl.bash),
    answer: during(repl.answer),
    draft: during(repl.draft),
    variables: during(repl.variables),
    getVariable: during(repl.getVariable),
    setVariable: during(repl.setVariable),
    snapshot: during(repl.snapshot),
    rollback: during(repl.rollback),
    deleteSnapshot: during(repl.deleteSnapshot),
    snapshots: during(repl.snapshots),
    close: during(() => {
      onClose();
      return repl.close();
    }),
  };
}
