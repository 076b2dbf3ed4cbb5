import { setImmediate } from 'node:timers/promises';

/** Milliseconds after which others have their turn. */
const SLICE_MS = 10;

/** Lets the event loop run now and then during work that does not wait. */
export function createTimeSlices(): () => Promise<void> {
  let began = performance.now();
  return async () => {
    if (performance.now() - began < SLICE_MS) return;
    await setImmediate();
    began = performance.now();
  };
}
