import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ModelError } from '../../src/index.ts';
import { fakeClock } from '../../src/test.ts';
import { cell, checkEvents, play, playToFailure, promptOf, start } from './harness.ts';

describe('at a limit', () => {
  it('the model is asked once more, and its answer counts', async () => {
    const { result, root, events } = await play({
      context: 'x',
      limits: { maxTurns: 2 },
      root: [cell('a = 1'), cell('b = 2'), 'FINAL(the best I have)'],
    });
    expect(result).toMatchObject({ outcome: 'exhausted', stop: 'max-turns', answer: 'the best I have', turns: 2 });
    expect(result.outcome === 'exhausted' && result.reason).toContain('maxTurns');
    expect(promptOf(root, 2)).toContain('best answer now');
    expect(promptOf(root, 2)).not.toContain('is next');
    expect(checkEvents(events)).toEqual([]);
  });

  it('a variable can be named; cells are not run', async () => {
    const { result } = await play({
      context: 'x',
      limits: { maxTurns: 1 },
      root: [cell('n = 41'), `${cell('n = 42')}\nFINAL_VAR(n)`],
    });
    expect(result.answer).toBe('41');
  });

  it('an explicit answer beats the draft, the draft beats prose', async () => {
    const draft = cell('answer["content"] = "the draft"');
    const prose = await play({ context: 'x', limits: { maxTurns: 1 }, root: [draft, 'I think it is something else.'] });
    expect(prose.result.answer).toBe('the draft');
    const explicit = await play({ context: 'x', limits: { maxTurns: 1 }, root: [draft, 'FINAL(said at last)'] });
    expect(explicit.result.answer).toBe('said at last');
  });

  it('prose is the answer where there is nothing else, without its reasoning', async () => {
    const { result } = await play({
      context: 'x',
      limits: { maxTurns: 1 },
      root: [cell('1'), '<think>hm</think>It is blue.'],
    });
    expect(result.answer).toBe('It is blue.');
  });

  it('a failing last call leaves the draft', async () => {
    const { result } = await play({
      context: 'x',
      limits: { maxTurns: 1 },
      root: [cell('answer["content"] = "kept"')],
    });
    expect(result).toMatchObject({ outcome: 'exhausted', answer: 'kept' });
  });

  it.each(['FINAL_VAR(nowhere)', 'FINAL()', '**FINAL_VAR(nowhere)**'])(
    '%s alone does not count as prose',
    async (last) => {
      const { result } = await play({ context: 'x', limits: { maxTurns: 1 }, root: [cell('1'), last] });
      expect(result).toMatchObject({ outcome: 'exhausted', answer: undefined, text: '' });
    },
  );

  it('a name that is bound to nothing is the text itself', async () => {
    const { result } = await play({ context: 'x', limits: { maxTurns: 1 }, root: [cell('1'), 'FINAL(plan_9)'] });
    expect(result).toMatchObject({ outcome: 'exhausted', answer: 'plan_9' });
  });

  it('a typed answer may stand in a fenced block', async () => {
    const { result } = await play({
      context: 'x',
      output: z.object({ n: z.number() }),
      limits: { maxTurns: 1 },
      root: [cell('1'), '```json\n{"n": 2}\n```'],
    });
    expect(result).toMatchObject({ outcome: 'exhausted', answer: { n: 2 } });
  });

  it('nothing gained is nothing: undefined and no text', async () => {
    const { result } = await play({ context: 'x', limits: { maxTurns: 1 }, root: [cell('1')] });
    expect(result).toMatchObject({ outcome: 'exhausted', answer: undefined, text: '' });
  });
});

describe('finish', () => {
  it('does not wait for a cool-down of minutes: the draft is the best there is', async () => {
    const clock = fakeClock();
    const coolDown = new ModelError({ fault: 'rate-limit', message: 'slow down', retryAfterMs: 1_500_000 });
    const { run, root } = start({
      context: 'x',
      options: { clock },
      root: [cell('answer["content"] = "half of it"'), coolDown, 'FINAL(much later)'],
    });
    for await (const event of run) {
      if (event.type === 'usage.recorded' && !event.ok) run.finish();
      if (event.type === 'limit.reached') break;
    }
    let ended = false;
    void run.then(() => {
      ended = true;
    });
    while (!ended) await clock.advance(1_000);
    expect(await run).toMatchObject({ outcome: 'exhausted', stop: 'finish-requested', answer: 'half of it' });
    expect(root.requests).toHaveLength(2);
  });
});

describe('the limits', () => {
  it('time that is up before the REPL is there', async () => {
    const { result, events } = await play({ limits: { maxDurationMs: 1 }, root: ['FINAL(late)'] });
    expect(result).toMatchObject({ outcome: 'exhausted', stop: 'time-limit', answer: undefined, text: '', turns: 0 });
    expect(result.outcome === 'exhausted' && result.reason).toContain('maxDurationMs');
    expect(events.at(-1)).toMatchObject({ type: 'run.completed', outcome: 'exhausted' });
  });

  it('a depth without end, and money that is limited', async () => {
    const price = { input: 1, output: 1 };
    const { result } = await play({
      limits: { maxDepth: Number.POSITIVE_INFINITY, maxCostUsd: 1 },
      options: { prices: { 'scripted/root': price, 'scripted/sub': price } },
      root: [cell('r = rlm_query("who?")', 'FINAL(r)')],
      sub: ['FINAL(you)'],
    });
    expect(result).toMatchObject({ outcome: 'converged', answer: 'you' });
  });

  it('no-code: replies with nothing to run, after a nudge', async () => {
    const { result, root } = await play({ context: 'x', root: ['Let me think.', 'Hm.', 'Still.', 'FINAL(given up)'] });
    expect(result).toMatchObject({ outcome: 'exhausted', stop: 'no-code', turns: 3, answer: 'given up' });
    expect(promptOf(root, 1)).toContain('held nothing to run');
  });

  it('error-limit: turns in a row that failed', async () => {
    const { result } = await play({
      context: 'x',
      limits: { maxConsecutiveErrors: 2 },
      root: [cell('1/0'), cell('1/0'), 'FINAL(broken)'],
    });
    expect(result).toMatchObject({ outcome: 'exhausted', stop: 'error-limit', turns: 2 });
  });

  it('token-limit: refused before it is sent, the last call from its reserve', async () => {
    const usage = { inputTokens: 4_000, outputTokens: 1_000 };
    const { result } = await play({
      context: 'x',
      limits: { maxTokens: 20_000 },
      root: ({ prompt }) => ({ text: prompt.includes('best answer now') ? 'FINAL(last words)' : cell('x = 1'), usage }),
    });
    expect(result).toMatchObject({ outcome: 'exhausted', stop: 'token-limit', answer: 'last words' });
    expect(result.usage.inputTokens + result.usage.outputTokens).toBeLessThanOrEqual(20_000);
    expect(result.turns).toBeGreaterThan(0);
  });

  it.each([
    ['what a turn printed', 'print("word " * 3_000)', 'print("end")'],
    ['a long reply', ...Array.from({ length: 100 }, (_, line) => `x_${line} = "a line of code that is long"`)],
  ])('token-limit: %s leaves room for the last call when sub-calls have used up all else', async (_name, ...lines) => {
    const spend = [
      'try:',
      '    while True: llm_query("some more", max_tokens=10)',
      'except BudgetExceeded: print("spent")',
    ];
    const { result, root } = await play({
      context: 'x',
      limits: { maxTokens: 30_000 },
      root: ({ prompt }) => (prompt.includes('best answer now') ? 'FINAL(last words)' : cell(...lines, ...spend)),
      sub: () => ({ text: 'no', usage: { inputTokens: 100, outputTokens: 10 } }),
    });
    expect(result).toMatchObject({ outcome: 'exhausted', stop: 'token-limit', answer: 'last words', turns: 1 });
    expect(result.usage.inputTokens + result.usage.outputTokens).toBeLessThanOrEqual(30_000);
    expect(promptOf(root, 1)).toContain('spent');
  });

  it('cost-limit: a price that is known bounds the money', async () => {
    const usage = { inputTokens: 1_000, outputTokens: 1_000 };
    const { result } = await play({
      context: 'x',
      limits: { maxCostUsd: 0.2 },
      options: { prices: { root: { input: 1, output: 10 }, sub: { input: 1, output: 1 } } },
      root: ({ prompt }) => ({ text: prompt.includes('best answer now') ? 'FINAL(last words)' : cell('x = 1'), usage }),
    });
    expect(result).toMatchObject({ outcome: 'exhausted', stop: 'cost-limit' });
    expect(result.usage.costUsd).toBeLessThanOrEqual(0.2);
  });

  it('maxCostUsd with an unknown price is an error before anything is sent', async () => {
    const { error, result, events } = await playToFailure({
      context: 'x',
      limits: { maxCostUsd: 1 },
      root: ['FINAL(1)'],
    });
    expect(error.code).toBe('price-unknown');
    expect(result).toMatchObject({ outcome: 'failed', turns: 0 });
    expect(result.usage.calls).toBe(0);
    expect(checkEvents(events)).toEqual([]);
  });

  it('an infinite maxCostUsd needs no price', async () => {
    const { result } = await play({
      context: 'x',
      limits: { maxCostUsd: Number.POSITIVE_INFINITY },
      root: [cell('FINAL(llm_query("a"))')],
    });
    expect(result).toMatchObject({ outcome: 'converged', usage: { costUsd: null } });
  });

  it('time-limit: a run that takes too long gives its best', async () => {
    const { result } = await play({
      context: 'x',
      limits: { maxDurationMs: 3_000 },
      root: ({ prompt }) => (prompt.includes('best answer now') ? 'FINAL(in time)' : cell('while True: pass')),
    });
    expect(result).toMatchObject({ outcome: 'exhausted', stop: 'time-limit', answer: 'in time' });
    expect(result.elapsedMs).toBeLessThan(6_000);
  });

  it('invalid limits reject the run', async () => {
    const { error, events } = await playToFailure({ limits: { maxTurns: -1 }, root: ['FINAL(1)'] });
    expect(error.code).toBe('invalid-limit');
    expect(checkEvents(events)).toEqual([]);
  });
});
