import { median, report } from './report.ts';

/** A way to ask through a door, and the milliseconds of processor time that it may add to the completion. */
export interface DoorWay {
  readonly ask: () => PromiseLike<unknown>;
  readonly bar: number;
  /** It starts no run, so that all of its time is the door's. */
  readonly alone?: true;
}

const ROUNDS = 80;
/** Rounds before those that count. */
const WARM = 15;
/** Milliseconds to make the next spare REPL, as between two questions of a user. */
const PAUSE_MS = 60;

interface Times {
  readonly cpu: number[];
  readonly wall: number[];
}

/**
 * Prints a line for each way: the middle processor time that it adds to the completion by the library alone, the client in the
 * same process included, and the times of both on the clock. All are asked in turn, so that they share the noise of the machine.
 */
export async function reportDoor(
  library: () => PromiseLike<unknown>,
  ways: Readonly<Record<string, DoorWay>>,
): Promise<void> {
  const asked = [['', { ask: library, bar: 0 }] as const, ...Object.entries(ways)];
  const times = new Map<string, Times>(asked.map(([name]) => [name, { cpu: [], wall: [] }]));
  for (let round = 0; round < WARM + ROUNDS; round += 1) {
    for (const [name, { ask }] of asked) {
      const found = await timed(ask);
      if (round < WARM) continue;
      times.get(name)?.cpu.push(found.cpu);
      times.get(name)?.wall.push(found.wall);
    }
  }
  const base = times.get('') ?? { cpu: [], wall: [] };
  console.log(`  rlm.completion alone: ${median(base.cpu).toFixed(2)} ms of processor time; ${onTheClock(base.wall)}`);
  for (const [name, { bar, alone }] of Object.entries(ways)) {
    const { cpu, wall } = times.get(name) ?? base;
    const own = alone === true ? 0 : median(base.cpu);
    report({
      name: `${name}: processor time${own === 0 ? '' : ' it adds'}`,
      measured: median(cpu) - own,
      unit: 'ms',
      bar,
    });
    console.log(`    ${onTheClock(wall)}`);
  }
}

function onTheClock(wall: readonly number[]): string {
  const sorted = wall.toSorted((a, b) => a - b);
  const p99 = sorted[Math.min(sorted.length - 1, Math.floor(0.99 * sorted.length))] ?? Number.NaN;
  return `p50 ${median(sorted).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
}

async function timed(ask: () => PromiseLike<unknown>): Promise<{ readonly cpu: number; readonly wall: number }> {
  const [before, begin] = [process.cpuUsage(), performance.now()];
  await ask();
  const wall = performance.now() - begin;
  const { user, system } = process.cpuUsage(before);
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  return { cpu: (user + system) / 1_000, wall };
}
