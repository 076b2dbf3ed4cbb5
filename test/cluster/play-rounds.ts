/**
 * Plays rounds without vitest, on a machine that has better things to do: `node play-rounds.ts FIRST COUNT`.
 *
 * @module
 */
import { argv } from 'node:process';
import { planOf, Rounds } from './rounds.ts';

const [first = 0, count = 25] = argv.slice(2).map(Number);
const rounds = await Rounds.open();
let failed = 0;
try {
  for (let number = first; number < first + count; number++) {
    const round = planOf(number);
    const start = performance.now();
    const problem = await rounds.play(round).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (problem !== undefined) failed += 1;
    const seconds = ((performance.now() - start) / 1_000).toFixed(1);
    console.log(`round ${number}, ${seconds} s, ${round.fault.name}: ${problem === undefined ? 'passed' : 'FAILED'}`);
    if (problem !== undefined) console.log(problem);
  }
} finally {
  await rounds.close();
}
console.log(`${count - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
