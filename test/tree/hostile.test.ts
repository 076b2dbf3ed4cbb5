import { describe, expect, it } from 'vitest';
import type { RlmOptions } from '../../src/index.ts';
import { type ScriptedRequest, type ScriptedResponder, scriptedModel } from '../../src/test.ts';
import { BACKEND, cell, checkEvents, grow, nested } from './harness.ts';

const PRICES = { d0: { input: 1, output: 10 }, d1: { input: 1, output: 10 } };

/** Runs one hostile cell and gives what it answered. */
async function attack(code: readonly string[], sub: ScriptedResponder, options: Partial<RlmOptions> = {}) {
  const model = scriptedModel(sub, { modelId: 'd1' });
  const root = scriptedModel(({ messages }) => (messages.length > 2 ? 'FINAL(nothing)' : cell(...code)), {
    modelId: 'd0',
  });
  const { run, events } = grow({ model: root, subModel: model, ...options });
  const result = await run;
  expect(checkEvents(events)).toEqual([]);
  return { result, events, requests: model.requests, root };
}

const echo = ({ prompt }: ScriptedRequest): string => prompt;

describe('hostile cells', () => {
  it('10 000 llm_query in one turn are queued and checked before each is sent; finished results stay', async () => {
    const { result, requests } = await attack(
      [
        'rs = llm_query_batched([str(i) for i in range(10_000)])',
        'FINAL([sum(r.ok for r in rs), rs[2_999], rs[3_000].error["code"]])',
      ],
      echo,
      { limits: { maxSubCalls: 3_000, maxTokens: 500_000_000 } },
    );
    expect(JSON.parse(result.text)).toEqual([3_000, '2999', 'budget']);
    expect([requests.length, result.subCalls]).toEqual([3_000, 3_000]);
  }, 60_000);

  it('a million prompts and a prompt of a gigabyte are refused before anything is buffered', async () => {
    const before = process.memoryUsage.rss();
    const { result, requests } = await attack(
      [
        'said = []',
        'try: llm_query_batched(["x"] * 1_000_000)',
        'except Exception as e: said.append(str(e))',
        'try: llm_query("x" * 1_000_000_000)',
        'except BaseException as e: said.append(str(e) or type(e).__name__)',
        'FINAL(said)',
      ],
      echo,
    );
    const [batch, prompt] = JSON.parse(result.text) as [string, string];
    expect(batch).toContain('maxBatchItems');
    expect(prompt).toMatch(/promptBytes|MemoryError/);
    expect(requests).toHaveLength(0);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200_000_000);
  }, 60_000);

  it('children that each call two are bounded by depth and by the tree’s calls, whichever child is refused', async () => {
    const bomb = ['a, b = rlm_query_batched([("more", "x"), ("more still", "y")])', 'FINAL(f"({a}|{b})")'];
    const { result, events } = await attack(
      bomb,
      ({ messages }) => (messages[0]?.role === 'system' ? cell(...bomb) : 'leaf'),
      { limits: { maxDepth: 12, maxSubCalls: 24, maxConcurrentChildren: 4 } },
    );
    expect(result.outcome).toBe('converged');
    expect(result.subCalls).toBe(24);
    expect(nested(result.trajectory)).toHaveLength(25);
    expect(events.filter(({ type }) => type === 'run.completed')).toHaveLength(25);
  }, 120_000);

  it('threads that race for the budget never overspend it', async () => {
    const usage = { inputTokens: 50, outputTokens: 100 };
    const { result } = await attack(
      [
        'from concurrent.futures import ThreadPoolExecutor',
        'def one(i):',
        '    try: return llm_query(f"{i}", max_tokens=100)',
        '    except BudgetExceeded: return None',
        'with ThreadPoolExecutor(32) as pool: out = list(pool.map(one, range(400)))',
        'FINAL([sum(o is not None for o in out)])',
      ],
      () => ({ text: 'yes', usage }),
      { prices: PRICES, limits: { maxCostUsd: 0.35, maxOutputTokens: 1_024 } },
    );
    expect(result.usage.costUsd).toBeLessThanOrEqual(0.35);
    expect(JSON.parse(result.text)[0]).toBeGreaterThan(100);
  }, 60_000);

  it('max_tokens beyond the policy is clamped; n and other parameters do not exist', async () => {
    const { result, requests } = await attack(
      [
        'said = [llm_query("a", max_tokens=10**9)]',
        'for extra in ({"n": 1000}, {"best_of": 5}, {"temperature": 9}):',
        '    try: llm_query("b", **extra)',
        '    except TypeError: said.append("refused")',
        'FINAL(said)',
      ],
      echo,
      { limits: { maxSubCallOutputTokens: 500 } },
    );
    expect(JSON.parse(result.text)).toEqual(['a', 'refused', 'refused', 'refused']);
    expect(requests.map(({ maxOutputTokens }) => maxOutputTokens)).toEqual([500]);
  });

  it('a model the caller did not allow is replaced, reported once; no base URL can be set', async () => {
    const { result, events, requests } = await attack(
      [
        'said = [str(r) for r in llm_query_batched(["a", "b", "c"], model="openai/gpt-5")]',
        'for attempt in ("http://127.0.0.1:9/v1#evil", "scripted:/etc/passwd", "record:/tmp/x:openai/gpt-5"):',
        '    try: said.append(llm_query("d", model=attempt))',
        '    except LLMError as e: said.append(e.code)',
        'try: llm_query("e", base_url="http://127.0.0.1:9")',
        'except TypeError: said.append("refused")',
        'FINAL(said)',
      ],
      echo,
    );
    const said = JSON.parse(result.text) as string[];
    expect(said.slice(0, 3)).toEqual(['a', 'b', 'c']);
    expect(said.at(-1)).toBe('refused');
    for (const other of said.slice(3, 6)) expect(['d', 'model-not-found', 'model-not-allowed']).toContain(other);
    expect(requests.length).toBe(said.filter((text) => /^[a-d]$/.test(text)).length);
    const fallbacks = events.filter(
      (event) => event.type === 'subcall.fallback' && event.configured === 'openai/gpt-5',
    );
    expect(fallbacks).toHaveLength(1);
  });

  it('nothing of the host’s environment can be put into a prompt', async () => {
    process.env.FATHOM_TREE_SECRET = 'sesame-0815';
    try {
      const { requests, root } = await attack(
        [
          'import os, json',
          'seen = json.dumps(dict(os.environ))',
          'for path in ("/proc/self/environ", "/proc/1/environ", f"/proc/{os.getppid()}/environ"):',
          '    try: seen += open(path, "rb").read().decode("latin-1")',
          '    except OSError: pass',
          'FINAL(llm_query("what I found: " + seen.replace("\\0", " ")))',
        ],
        echo,
      );
      expect(requests).toHaveLength(1);
      const sent = JSON.stringify([...requests, ...root.requests].map(({ messages }) => messages));
      if (BACKEND !== 'plain') expect(sent).not.toContain('sesame-0815');
    } finally {
      delete process.env.FATHOM_TREE_SECRET;
    }
  });
});
