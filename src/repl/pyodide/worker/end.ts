/**
 * How the worker ends. Captured before the globals go, because it must work when everything else is gone.
 *
 * @module
 */
import { writeSync } from 'node:fs';
import { RUNTIME } from './protocol.ts';
import type { Wire } from './wire.ts';

/** For diagnostics: the host keeps the last lines and shows them only to its own user. */
const STDERR = 2;

/** Ways to end. */
export interface End {
  /** The host has gone, or said goodbye. */
  quietly(): never;
  /** Something ended the interpreter. The host gets the reason in fixed words, because a model may see it. */
  because(reason: string, error?: unknown): never;
}

/** Makes the ends. */
export function makeEnd(wire: Wire): End {
  const exit = (process as unknown as { reallyExit(code: number): never }).reallyExit.bind(process);
  let ending = false;
  return {
    quietly: () => exit(0),
    because(reason, error) {
      if (!ending) {
        ending = true;
        try {
          if (error instanceof Error) writeSync(STDERR, `${error.stack ?? error.message}\n`);
          wire.send(RUNTIME.denied, 0, { reason });
        } catch {
          // The host has gone as well.
        }
      }
      return exit(70);
    },
  };
}

/** Fixed words for what JavaScript throws when the interpreter ends. */
export function reasonOf(error: unknown): string {
  if (error instanceof RangeError) return 'stack overflow';
  if (error instanceof WebAssembly.RuntimeError) return 'trap in the interpreter';
  const name = typeof error === 'object' && error !== null ? (error as { name?: unknown }).name : undefined;
  return name === 'ExitStatus' ? 'exit of the interpreter' : 'failure in the runtime';
}
