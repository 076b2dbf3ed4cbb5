/**
 * Loaded before a process of the rounds (`node --import`): SIGUSR2 sets its wall clock an hour forward, the next one two hours back.
 *
 * @module
 */
const HOUR_MS = 3_600_000;
const { now } = Date;
let shiftMs = 0;
process.on('SIGUSR2', () => {
  shiftMs = shiftMs > 0 ? -HOUR_MS : HOUR_MS;
  Date.now = () => now() + shiftMs;
});
