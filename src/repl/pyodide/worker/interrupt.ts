/**
 * The soft interrupt. CPython asks now and then whether a signal has come; the answer is a word that the host writes
 * (control.ts). The host keeps the cell's clock.
 *
 * @module
 */
import { controlWord } from './control.ts';

const SIGINT = 2;
/** Milliseconds between two looks at the control word: a look costs a system call. */
const INTERVAL = 10;
/** Milliseconds until an interrupt that was swallowed is raised again. */
const REPEAT = 100;

/** Interrupts of the command that runs. */
export interface Interrupt {
  /** A command starts: what the host wanted before is over. */
  start(): void;
  stop(): void;
  /** The result of `_Py_CheckEmscriptenSignals_Helper`: a signal number or 0. */
  poll(): number;
  /** Looks now; true when a signal waits. CPython then finds it by `poll`, once its system call ended with EINTR. */
  pending(): boolean;
}

export interface InterruptOptions {
  readonly now: () => number;
  /** False when the host has gone. */
  readonly hostAlive: () => boolean;
  readonly onOrphan: () => never;
}

/** Makes the interrupt. */
export function makeInterrupt({ now, hostAlive, onOrphan }: InterruptOptions): Interrupt {
  const interrupts = controlWord('interrupts');
  let seen = 0;
  let wanted = false;
  let running = false;
  let nextLook = 0;
  let nextRaise = 0;

  const look = (): void => {
    const value = interrupts();
    if (value !== seen) {
      seen = value;
      wanted = true;
    }
    if (!hostAlive()) onOrphan();
  };
  return {
    start() {
      look();
      wanted = false;
      running = true;
      nextLook = now() + INTERVAL;
      nextRaise = 0;
    },
    stop() {
      running = false;
      wanted = false;
    },
    poll() {
      if (!running) return 0;
      const time = now();
      if (time >= nextLook) {
        nextLook = time + INTERVAL;
        look();
      }
      if (!wanted || time < nextRaise) return 0;
      nextRaise = time + REPEAT;
      return SIGINT;
    },
    pending() {
      if (!running) return false;
      look();
      if (wanted) nextRaise = 0;
      return wanted;
    },
  };
}
