/** Far above any timeout: the timer only has to exist. */
const NEVER_MS = 2_000_000_000;

let holders = 0;
let timer: NodeJS.Timeout | undefined;

/**
 * Keeps the process alive while a call waits: the clock's timers do not, and a call in its backoff has no open socket.
 * The returned function ends it; call it once.
 */
export function keepAlive(): () => void {
  holders += 1;
  timer ??= setInterval(() => {}, NEVER_MS);
  return () => {
    holders -= 1;
    if (holders > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
