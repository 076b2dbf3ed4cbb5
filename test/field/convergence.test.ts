import { afterAll, describe, expect, it } from 'vitest';
import { jsonSchema } from '../../src/index.ts';
import { play } from '../engine/harness.ts';
import { carelessRoot } from './careless-root.ts';
import { TASKS, type Task } from './tasks.ts';

/** Seeds for each task. Default 4: the soak run takes 200. */
const SEEDS = Number(process.env.FATHOM_HABIT_SEEDS ?? 4);
const CARELESSNESS = 0.7;

/** mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Played {
  readonly converged: boolean;
  readonly turns: number;
  readonly shown: readonly string[];
  readonly seen: string;
}

async function playTask(task: Task, seed: number): Promise<Played> {
  const root = carelessRoot({ moves: task.moves, random: seeded(seed), carelessness: CARELESSNESS });
  const { result } = await play<unknown>({
    query: task.name,
    context: task.context,
    ...(task.output !== undefined && { output: jsonSchema(task.output) }),
    root: ({ prompt }) => root.reply(prompt),
  });
  const given = task.output === undefined ? result.text : JSON.stringify(result.answer);
  const right = given?.replace(/\s/g, '').includes(task.expected.replace(/\s/g, '')) === true;
  const converged = result.outcome === 'converged' && right;
  return {
    converged,
    turns: result.turns,
    shown: root.shown,
    seen: `${result.outcome} ${result.stop}: ${result.text}`,
  };
}

describe('a careless root', () => {
  const all: Played[] = [];
  const failed: string[] = [];

  it.each(TASKS)('$name', { timeout: 60_000 + SEEDS * 20_000 }, async (task) => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const played = await playTask(task, seed * 1_009 + TASKS.indexOf(task));
      all.push(played);
      if (!played.converged)
        failed.push(`${task.name}, seed ${seed}: ${played.seen.slice(0, 200)} | ${played.shown.join('; ')}`);
    }
  });

  it('converges in at least 95 % of the runs', () => {
    const converged = all.filter((played) => played.converged).length;
    const turns = all.reduce((sum, played) => sum + played.turns, 0) / all.length;
    const habits = all.reduce((sum, { shown }) => sum + shown.length, 0) / all.length;
    console.log(
      `${converged} of ${all.length} runs converge; ${habits.toFixed(2)} habits and ${turns.toFixed(1)} turns a run`,
    );
    expect(all).toHaveLength(SEEDS * TASKS.length);
    expect(new Set(all.flatMap(({ shown }) => shown)).size).toBeGreaterThan(15);
    expect(converged / all.length, failed.join('\n')).toBeGreaterThanOrEqual(0.95);
  });

  afterAll(() => {
    if (failed.length > 0) console.log(failed.join('\n'));
  });
});
