/** Time as the engine sees it, so that tests can own it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Runs `callback` once after `ms` milliseconds; the returned function cancels it. Never keeps the process alive. */
  schedule(ms: number, callback: () => void): () => void;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(ms, callback) {
    // setTimeout takes at most 2^31-1 ms; a longer wait than 24 days is as good as none.
    const timer = setTimeout(callback, Math.min(ms, 2_147_483_647));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** The wall clock's time when this process started, and the time that has passed since. */
const steadySystemClock: Clock = {
  now: () => Math.round(performance.timeOrigin + performance.now()),
  schedule: systemClock.schedule,
};

/**
 * For durations and deadlines: a clock that no change of the wall clock moves. Times that people or other processes read are the
 * wall clock's. A clock that the caller gave stays as it is.
 */
export function steadyClock(clock: Clock): Clock {
  return clock === systemClock ? steadySystemClock : clock;
}

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
