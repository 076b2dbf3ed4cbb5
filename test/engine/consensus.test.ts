/** One question asked several times under one account. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type CompletionRequest, createRlm, type RunEvent } from '../../src/index.ts';
import { answerKey } from '../../src/run/answer-key.ts';
import { type ScriptedResponder, scriptedModel } from '../../src/test.ts';
import { onEachBackend } from '../session/on-each-backend.ts';
import { cell, rlmOf } from './harness.ts';

const SEEDS = 200;
const ERROR = 0.3;
const RIGHT = '42';

/** A generator of random numbers from 0 to 1: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A root that errs in 30 % of its runs, also as a judge. Wrong answers are one of five. */
function erring(random: () => number): ScriptedResponder {
  return ({ messages, prompt }) => {
    const asked = `${messages[1]?.content ?? ''}${prompt}`;
    const wrong = random() < ERROR;
    const other = String(43 + Math.floor(random() * 5));
    if (!asked.includes('Several attempts')) return wrong ? other : RIGHT;
    const answers = [...asked.matchAll(/Answer (\d+), given \d+ times: "(\d+)"/g)];
    const pick = answers.find(([, , answer]) => (answer === RIGHT) !== wrong) ?? answers[0];
    return JSON.stringify({ choice: Number(pick?.[1]) });
  };
}

const direct = { query: 'How many?', context: 'many', mode: 'direct' } as const;

it(`of five attempts is right more often than one run that errs in ${ERROR * 100} %, over ${SEEDS} seeds`, {
  timeout: 300_000,
}, async () => {
  const right = { one: 0, five: 0 };
  let calls = 0;
  for (let seed = 0; seed < SEEDS; seed++) {
    const model = { ...scriptedModel(erring(randomFrom(seed)), { modelId: 'gpt-4' }), provider: 'openai' };
    const rlm = createRlm({ model, maxRepls: 1 });
    const one = await rlm.completion(direct);
    const five = await rlm.completion({ ...direct, consensus: 5 });
    await rlm.close();
    if (one.answer === RIGHT) right.one += 1;
    if (five.answer === RIGHT) right.five += 1;
    calls += five.usage.calls;
    expect(five.consensus?.asked).toBe(5);
    expect(five.usage.calls).toBe(
      (five.consensus?.runs.length ?? 0) + (five.consensus?.decidedBy === 'majority' ? 0 : 1),
    );
  }
  console.log(
    `right of ${SEEDS}: one run ${right.one}, consensus ${right.five}; calls per consensus ${(calls / SEEDS).toFixed(2)}`,
  );
  expect(right.one / SEEDS).toBeGreaterThan(0.6);
  expect(right.one / SEEDS).toBeLessThan(0.8);
  expect(right.five / SEEDS).toBeGreaterThan(0.83);
  expect(right.five).toBeGreaterThan(right.one);
  // Five attempts and a judge are the most; attempts stop when a majority agrees.
  expect(calls / SEEDS).toBeLessThan(5);
});

/** A model whose runs answer in the order of the list: one run is one cell. */
const answering = (answers: readonly string[], judge?: number) => {
  let run = 0;
  return scriptedModel(({ messages }) => {
    if (messages[1]?.content.includes('Several attempts')) return cell(`FINAL({"choice": ${judge ?? 99}})`);
    return cell(`FINAL(${JSON.stringify(answers[run++] ?? 'none')})`);
  });
};

const ask = async (answers: readonly string[], more: Partial<CompletionRequest> = {}, judge?: number) => {
  const events: RunEvent[] = [];
  const rlm = rlmOf({ model: answering(answers, judge), onEvent: (event) => events.push(event) });
  return { result: await rlm.completion({ query: 'Who?', context: 'x', consensus: 5, ...more }), events };
};

await onEachBackend(({ repl }) => {
  it('stops at a majority', async () => {
    await using rlm = createRlm({ repl, model: answering(['the butler', 'The  Butler.', '"the butler"']) });
    const run = rlm.completion({ query: 'Who?', context: 'x', consensus: 5 });
    const ids = new Set<string>();
    for await (const { runId } of run) ids.add(runId);
    const result = await run;
    expect(result.consensus).toMatchObject({ asked: 5, votes: 3, decidedBy: 'majority' });
    expect([...ids].sort()).toEqual([...(result.consensus?.runs ?? [])].sort());
    expect(result.consensus?.runs).toContain(result.runId);
    expect(result.usage.calls).toBe(3);
  });
});

describe('consensus', () => {
  it('asks on while the attempts disagree', async () => {
    const { result } = await ask(['a', 'b', 'a', 'a']);
    expect(result.answer).toBe('a');
    expect(result.consensus).toMatchObject({ votes: 3, decidedBy: 'majority' });
    expect(result.consensus?.runs).toHaveLength(4);
  });

  it('asks a judge where no answer has a majority', async () => {
    const { result } = await ask(['a', 'b', 'c', 'b', 'a'], {}, 3);
    expect(result).toMatchObject({ answer: 'c', consensus: { votes: 1, decidedBy: 'judge' } });
    expect(result.usage.calls).toBe(6);
  });

  it('takes the most frequent answer where the judge fails', async () => {
    const { result } = await ask(['a', 'b', 'c', 'b', 'd'], { limits: { maxRepairs: 1, maxTurns: 1 } });
    expect(result).toMatchObject({ answer: 'b', consensus: { votes: 2, decidedBy: 'plurality' } });
  });

  it('compares typed answers by value, and gives the judge the evidence', async () => {
    const model = scriptedModel(({ callIndex }) =>
      cell(`FINAL({"b": ${callIndex === 1 ? 2 : 1}, "a": "X${callIndex === 2 ? ' ' : ''}"})`),
    );
    const output = z.object({ a: z.string(), b: z.number() });
    const result = await rlmOf({ model }).completion({ query: 'Q', context: 'x', output, consensus: 3 });
    expect(result.answer).toMatchObject({ b: 1 });
    expect(result.consensus?.votes).toBe(2);
  });

  it('spends from one account', async () => {
    const { result } = await ask(['a', 'b', 'c', 'd', 'e'], { limits: { maxTokens: 60_000 } });
    expect(result.usage.inputTokens + result.usage.outputTokens).toBeLessThanOrEqual(60_000);
  });

  it.each([1, 10, 2.5, 'five'])('of %j is refused before anything is sent', async (consensus) => {
    const model = scriptedModel(['FINAL(1)']);
    const run = rlmOf({ model }).completion({ query: 'Q', consensus: consensus as number });
    await expect(Promise.resolve(run)).rejects.toMatchObject({ code: 'invalid-option' });
    expect(model.requests).toHaveLength(0);
  });

  it('is cancelled as a whole', async () => {
    const model = scriptedModel(() => new Promise<string>(() => undefined));
    const run = rlmOf({ model }).completion({ query: 'Q', consensus: 3, mode: 'direct', context: 'x' });
    for await (const { type } of run) {
      expect(type).toBe('route.chosen');
      run.cancel('enough');
      break;
    }
    await expect(Promise.resolve(run)).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('the key of an answer', () => {
  it.each([
    ['The  Butler.', '"the butler"'],
    ['1,234.50', '1234.5'],
    ['42', '42.0'],
    [
      { a: 1, b: ['x '] },
      { b: ['X'], a: 1 },
    ],
  ])('%j equals %j', (a, b) => expect(answerKey(a)).toBe(answerKey(b)));

  it.each([
    ['42', '43'],
    ['-5', '5'],
    ['12,34', '1234'],
    ['a b', 'ab'],
    [{ a: 1 }, { a: 2 }],
    ['12345678901234567890', '12345678901234567891'],
  ])('%j differs from %j', (a, b) => {
    expect(answerKey(a)).not.toBe(answerKey(b));
  });
});
