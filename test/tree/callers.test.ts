import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/index.ts';
import { type ScriptedRequest, scriptedModel } from '../../src/test.ts';
import { BACKEND, cell, checkEvents, grow } from './harness.ts';

/** Answers each prompt with itself, those that came together in the opposite order. */
function shuffling(): (request: ScriptedRequest) => Promise<string> {
  let waiting: (() => void)[] = [];
  return async ({ prompt }) => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length > 1) return;
      setImmediate(() => {
        const all = waiting.reverse();
        waiting = [];
        for (const release of all) release();
      });
    });
    return `<${prompt}>`;
  };
}

/** Runs one cell over a sub-model whose replies come out of order, and gives the answer. */
async function answerOf(...lines: string[]): Promise<unknown> {
  const { run, events } = grow({
    model: scriptedModel(() => cell(...lines), { modelId: 'root' }),
    subModel: scriptedModel(shuffling(), { modelId: 'sub' }),
  });
  const { text } = await run;
  expect(checkEvents(events)).toEqual([]);
  return JSON.parse(text);
}

const hasThreads = BACKEND !== 'pyodide';

describe('calls come back to who made them', () => {
  it.runIf(hasThreads)('from 32 threads', async () => {
    const answer = await answerOf(
      'import threading',
      'got = {}',
      'def work(i):',
      '    for j in range(5): got[f"{i}.{j}"] = llm_query(f"{i}.{j}")',
      'threads = [threading.Thread(target=work, args=(i,)) for i in range(32)]',
      'for t in threads: t.start()',
      'for t in threads: t.join()',
      'FINAL([len(got), all(v == f"<{k}>" for k, v in got.items())])',
    );
    expect(answer).toEqual([160, true]);
  });

  it('from a ThreadPoolExecutor', async () => {
    const answer = await answerOf(
      'from concurrent.futures import ThreadPoolExecutor',
      'def twice(i): return llm_query(f"{i}a") + llm_query(f"{i}b")',
      'with ThreadPoolExecutor(8) as pool:',
      '    direct = list(pool.map(llm_query, [str(i) for i in range(40)]))',
      '    nested = list(pool.map(twice, range(10)))',
      'FINAL([direct == [f"<{i}>" for i in range(40)], nested == [f"<{i}a><{i}b>" for i in range(10)]])',
    );
    expect(answer).toEqual([true, true]);
  });

  it('from asyncio.gather, nested functions and batches inside of both', async () => {
    const answer = await answerOf(
      'import asyncio',
      'def deep(x):',
      '    def deeper(y): return llm_query(f"{x}/{y}")',
      '    return deeper("in")',
      'async def one(i):',
      '    a = await allm_query(f"{i}")',
      '    b = await allm_query_batched([f"{i}-{j}" for j in range(3)])',
      '    return [a, *b]',
      'rows = await asyncio.gather(*[one(i) for i in range(20)])',
      'FINAL([rows == [[f"<{i}>", *[f"<{i}-{j}>" for j in range(3)]] for i in range(20)], deep("out")])',
    );
    expect(answer).toEqual([true, '<out/in>']);
  });

  it('after exceptions in the middle of others', async () => {
    const answer = await answerOf(
      'import asyncio',
      'async def fails(i):',
      '    await allm_query(f"before {i}")',
      '    raise ValueError(i)',
      'done = await asyncio.gather(*[fails(i) if i % 2 else allm_query(f"good {i}") for i in range(10)], return_exceptions=True)',
      'try: llm_query_batched(["a", ""])',
      'except ValueError as e: pass',
      'names = [type(d).__name__ for d in done]',
      'FINAL([names.count("ValueError"), [d for d in done if isinstance(d, str)], llm_query("after")])',
    );
    expect(answer).toEqual([5, [0, 2, 4, 6, 8].map((i) => `<good ${i}>`), '<after>']);
  });
});

describe('a child that its cell gives up', () => {
  it('has an end also while it waits for its turn, and counts as a failed sub-call', async () => {
    const givenUp = Promise.withResolvers<void>();
    const { run, events } = grow({
      model: scriptedModel(
        [
          cell(
            'import asyncio',
            'one, two = [asyncio.create_task(arlm_query(q, "x")) for q in ("one", "two")]',
            'await allm_query("both are under way")',
            'two.cancel()',
            'await allm_query("one is given up")',
            'FINAL(await one)',
          ),
        ],
        { modelId: 'root' },
      ),
      subModel: scriptedModel(
        async ({ prompt, messages }) => {
          if (prompt === 'one is given up') givenUp.resolve();
          if (messages[0]?.role !== 'system') return 'so it is';
          await givenUp.promise;
          return cell('FINAL("the one that ran")');
        },
        { modelId: 'sub' },
      ),
      limits: { maxDepth: 2, maxConcurrentChildren: 1 },
    });
    const { text, trajectory } = await run;
    expect(text).toBe('the one that ran');
    const calls = trajectory.turns[0]?.commands[0]?.subCalls ?? [];
    expect(calls.map(({ prompt, error }) => [prompt, error?.code])).toContainEqual(['two', 'cancelled']);
    const counted = (type: RunEvent['type']) => events.filter((event) => event.type === type).length;
    expect([counted('subcall.started'), counted('subcall.completed')]).toEqual([4, 4]);
    expect(checkEvents(events)).toEqual([]);
  });
});

describe('calls after the end of their cell', () => {
  it('are refused and not billed: tasks', async () => {
    const sub = scriptedModel(({ prompt }) => prompt, { modelId: 'sub' });
    const { run } = grow({
      model: scriptedModel(
        [
          cell(
            'import asyncio',
            'seen = []',
            'async def late():',
            '    await asyncio.sleep(0)',
            '    await gate.wait()',
            '    try: seen.append(str(await allm_query("too late")))',
            '    except LLMError as e: seen.append(type(e).__name__)',
            'gate = asyncio.Event()',
            'task = asyncio.ensure_future(late())',
            'await asyncio.sleep(0)',
            'llm_query("in time")',
          ),
          cell('seen.append(llm_query("second cell"))'),
          'FINAL_VAR(seen)',
        ],
        { modelId: 'root' },
      ),
      subModel: sub,
    });
    const { subCalls, text } = await run;
    expect(text).toBe('["second cell"]');
    expect(sub.requests.map(({ prompt }) => prompt)).toEqual(['in time', 'second cell']);
    expect(subCalls).toBe(2);
  });

  it.runIf(hasThreads)('are refused and not billed: threads', async () => {
    let turns = 0;
    const sub = scriptedModel(({ prompt }) => prompt, { modelId: 'sub' });
    const { run } = grow({
      model: scriptedModel(
        async () => {
          turns += 1;
          if (turns === 2) await new Promise((resolve) => setTimeout(resolve, 200));
          if (turns === 1) {
            return cell(
              'import threading, time',
              'seen = []',
              'def late():',
              '    time.sleep(0.05)',
              '    try: seen.append(str(llm_query("too late")))',
              '    except LLMError as e: seen.append(e.code)',
              'thread = threading.Thread(target=late); thread.start()',
            );
          }
          return turns === 2 ? cell('thread.join(5)', 'FINAL(seen)') : 'FINAL(no)';
        },
        { modelId: 'root' },
      ),
      subModel: sub,
    });
    const { subCalls, text } = await run;
    // The thread ran on between the cells or stood still with its process: either way its call is not of the next cell.
    expect(['["cancelled"]', '[]', '["too late"]']).toContain(text);
    if (text === '["cancelled"]') expect([subCalls, sub.requests.length]).toEqual([0, 0]);
  });
});
