import { describe, expect, it } from 'vitest';
import type { MockReply, MockRequest } from '../mock-provider/index.ts';
import { cell, checkEvents, firstUser, grow, isRootCall, modelsPerDepth, providerOf, turnOf } from './harness.ts';

/** USD per million tokens: 1 000 tokens of output are 0.40 USD. */
const DEAR = { input: 0, output: 400 };
const CHEAP = { input: 0, output: 1 };

/** Uses all it may, up to 1 000 tokens: a call of 0.40 USD where the price is {@link DEAR}. */
function paid(request: MockRequest, text: string): MockReply {
  return { text, usage: { inputTokens: 10, outputTokens: Math.min(1_000, request.maxTokens ?? 1_000) } };
}

/** Three levels of completions and flat calls below them; everybody asks for more than there is. */
const GREEDY = [
  cell(
    'answer["content"] = "a draft of the root"',
    'flat = llm_query_batched(["a", "b", "c"])',
    'rs = rlm_query_batched([("one", "x"), ("two", "y")])',
    'print([r.ok for r in rs])',
  ),
  cell('answer["content"] = "a draft"', 'r = rlm_query("below", "z")', 'print(r)'),
  cell('rs = llm_query_batched(["p", "q", "r"])', 'print([r.ok for r in rs])'),
];

function greedy(request: MockRequest): MockReply {
  if (firstUser(request).includes('best answer now') || request.prompt.includes('best answer now')) {
    return paid(request, 'FINAL(the best there was)');
  }
  if (!isRootCall(request)) return paid(request, 'a reply');
  const depth = Number(request.model.slice(1));
  return paid(request, turnOf(request) === 1 ? (GREEDY[depth] ?? '') : 'FINAL(enough)');
}

describe('a budget of 1.00 USD in a tree of three levels', () => {
  it.each([
    ['every call costs 0.40', { d0: DEAR, d1: DEAR, d2: DEAR, d3: DEAR }],
    ['calls below the root cost 0.40', { d0: CHEAP, d1: DEAR, d2: DEAR, d3: DEAR }],
    ['flat calls at the bottom cost 0.40', { d0: CHEAP, d1: CHEAP, d2: CHEAP, d3: DEAR }],
  ])('is never overspent when %s, and there is a best answer', async (_name, prices) => {
    await using provider = await providerOf(greedy);
    const { run, events } = grow({
      ...modelsPerDepth(provider, 3),
      prices,
      limits: { maxDepth: 3, maxCostUsd: 1, maxOutputTokens: 1_000 },
    });
    const result = await run;
    const billed = provider.calls.reduce(
      (sum, { request, usage }) =>
        sum + (usage.outputTokens * (prices[request.model as keyof typeof prices].output ?? 0)) / 1e6,
      0,
    );

    expect(billed).toBeLessThanOrEqual(1);
    expect(result.usage.costUsd).toBeCloseTo(billed, 9);
    expect(result.text).not.toBe('');
    expect(checkEvents(events)).toEqual([]);
  });

  it('pays two of many calls, refuses the others before they are sent, and says what is left', async () => {
    await using provider = await providerOf((request) => {
      if (!isRootCall(request)) return paid(request, 'yes');
      if (turnOf(request) > 1) return paid(request, 'FINAL_VAR(seen)');
      return paid(
        request,
        cell(
          'rs = llm_query_batched([str(i) for i in range(10)])',
          'try: llm_query("one more")',
          'except BudgetExceeded as e: print(e)',
          'seen = [r.ok for r in rs], rs[9].error["code"]',
        ),
      );
    });
    const { run, events } = grow({
      ...modelsPerDepth(provider, 1),
      prices: { d0: CHEAP, d1: DEAR },
      limits: { maxCostUsd: 1, maxOutputTokens: 1_000 },
    });
    const result = await run;

    expect(JSON.parse(result.text)).toEqual([[true, true, ...Array(8).fill(false)], 'budget']);
    expect(provider.calls.filter(({ request }) => request.model === 'd1')).toHaveLength(2);
    expect(result.subCalls).toBe(2);
    expect(result.trajectory.turns[0]?.commands[0]?.stdout).toMatch(/1\.00 USD|1 USD|left/);
    expect(events.filter(({ type }) => type === 'budget.warning')).toHaveLength(1);
  });
});
