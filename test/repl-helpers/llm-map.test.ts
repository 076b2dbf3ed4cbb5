/**
 * Counting with a sub-model that errs: one `llm_map` with three votes per item finds the exact counts.
 * `FATHOM_MAP_SEEDS` sets how many seeds are tried (default 4; the goal is stated for 40).
 */
import { describe, expect, it } from 'vitest';
import { contexts, projected } from '../../src/index.ts';
import { cell, play } from '../engine/harness.ts';

const SEEDS = Number(process.env.FATHOM_MAP_SEEDS ?? 4);
const ITEMS = 5_000;
const ERROR = 0.02;
const LABELS = ['entity', 'number', 'place', 'human being', 'description', 'abbreviation'] as const;
/** Runs of which the counts have to be exact. */
const EXACT_SHARE = 0.95;

/** A generator of random numbers from 0 to 1: mulberry32, so that a seed gives the same run on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Labels each numbered item of a prompt; errors are independent per item and call. */
function labeller(random: () => number, labelOf: (item: number) => number): (prompt: string) => string {
  return (prompt) =>
    [...prompt.matchAll(/^(\d+): item (\d+)$/gm)]
      .map(([, number, item]) => {
        const right = labelOf(Number(item));
        const shift = random() < ERROR ? 1 + Math.floor(random() * (LABELS.length - 1)) : 0;
        return `${number}: ${LABELS[(right + shift) % LABELS.length]}`;
      })
      .join('\n');
}

async function countOnce(seed: number, options: { readonly items: number; readonly votes: number }) {
  const random = randomFrom(seed);
  const truth = Array.from({ length: options.items }, () => Math.floor(random() ** 2 * LABELS.length));
  const label = labeller(random, (item) => truth[item] ?? 0);
  const { result } = await play({
    context: truth.map((_, index) => `item ${index}`).join('\n'),
    limits: { maxSubCalls: 100_000, maxTokens: 100_000_000 },
    sub: ({ prompt }) => label(prompt),
    root: [
      cell(
        `labelled = llm_map(context.splitlines(), "Which kind is it?", labels=${JSON.stringify(LABELS)}, votes=${options.votes})`,
        `FINAL([labelled.counts()[label] for label in ${JSON.stringify(LABELS)}])`,
      ),
    ],
  });
  const right = LABELS.map((_, index) => truth.filter((one) => one === index).length);
  return { answer: JSON.parse(result.answer ?? '[]') as number[], right };
}

describe('llm_map', () => {
  it(`counts ${ITEMS} items exactly with votes, where a single pass errs`, { timeout: 600_000 }, async () => {
    const single = await countOnce(1, { items: ITEMS, votes: 1 });
    expect(single.answer).not.toEqual(single.right);
    let exact = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const { answer, right } = await countOnce(seed, { items: ITEMS, votes: 3 });
      if (JSON.stringify(answer) === JSON.stringify(right)) exact += 1;
    }
    expect(exact / SEEDS).toBeGreaterThanOrEqual(EXACT_SHARE);
  });

  it('labels 200 000 items twice within the memory of a small REPL', { timeout: 240_000 }, async () => {
    const items = 200_000;
    const { result, sub } = await play({
      context: Array.from({ length: items }, (_, index) => `item ${index}`).join('\n'),
      limits: { memoryBytes: 512 * 1024 * 1024, maxSubCalls: 100_000, maxTokens: 1_000_000_000 },
      sub: ({ prompt }) =>
        labeller(
          () => 1,
          (item) => item % 3,
        )(prompt),
      root: [
        cell(
          `labelled = llm_map(context.splitlines(), "Which?", labels=${JSON.stringify(LABELS)}, votes=2)`,
          'FINAL([*labelled.counts().values(), len(labelled.failed), labelled.calls])',
        ),
      ],
    });
    expect(JSON.parse(result.answer ?? '')).toEqual([66_667, 66_667, 66_666, 0, 10_000]);
    expect(sub.requests).toHaveLength(10_000);
  });

  it('keeps what it has when the calls are used up, and raises nothing', async () => {
    const { result } = await play({
      context: 'x',
      limits: { maxSubCalls: 2 },
      sub: ({ prompt }) => labeller(Math.random, () => 0)(prompt),
      root: [
        cell(
          `labelled = llm_map([f"item {i}" for i in range(200)], "Which?", labels=${JSON.stringify(LABELS)}, votes=3)`,
          'FINAL([sum(v is not None for v in labelled.values), len(labelled.failed), "maxSubCalls" in labelled[199].error])',
        ),
      ],
    });
    expect(JSON.parse(result.answer ?? '')).toEqual([80, 120, true]);
  });

  it('reads each item of a projected list once, also for votes and filters', async () => {
    const items = Array.from({ length: 100 }, (_, index) => `item ${index}`);
    let read = 0;
    const list = {
      length: () => items.length,
      slice: (start: number, stop: number) => {
        read += stop - start;
        return items.slice(start, stop);
      },
    };
    const { result } = await play({
      context: projected({ list }),
      sub: ({ prompt }) =>
        labeller(
          () => 1,
          () => 0,
        )(prompt),
      root: [cell(`FINAL(llm_map(context, "Which?", labels=${JSON.stringify(LABELS)}, votes=3).counts()["entity"])`)],
    });
    expect(result.answer).toBe('100');
    expect(read).toBe(100);
    // A filter reads them a second time, to return them.
    read = 0;
    const filtered = await play({
      context: projected({ list }),
      sub: ({ prompt }) => [...prompt.matchAll(/^(\d+): item \d+$/gm)].map(([, number]) => `${number}: yes`).join('\n'),
      root: [cell('FINAL(len(llm_filter(context, "good", votes=2)))')],
    });
    expect(filtered.result.answer).toBe('100');
    expect(read).toBe(200);
  });
});

describe('chunks and search', () => {
  it('take projected values', async () => {
    const text = Array.from({ length: 400 }, (_, index) => `line ${index}`).join('\n');
    const list = ['one cat', 'two dogs'];
    const { result } = await play({
      context: contexts({
        text: projected({ text: { length: () => text.length, slice: (start, stop) => text.slice(start, stop) } }),
        list: projected({ list: { length: () => list.length, slice: (start, stop) => list.slice(start, stop) } }),
      }),
      root: [
        cell(
          'pieces = chunks(text, 1000, 0, by="lines")',
          'covered = "".join(piece["text"] for piece in pieces) == str(text)',
          'FINAL([covered, chunks(list, 100)[0]["text"], [hit["match"] for hit in search(["dogs"], list)]])',
        ),
      ],
    });
    expect(JSON.parse(result.answer ?? '')).toEqual([true, 'one cat\ntwo dogs\n', ['dogs']]);
  });
});
