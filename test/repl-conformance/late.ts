import { describe, expect, test } from 'vitest';
import { type Bench, promptOf } from './bench.ts';

/** A cell that asks and prints, once in a thread or task that ends with the cell, once in one that outlives it. */
interface LateCase {
  readonly name: string;
  readonly threads?: boolean;
  /** Defines `start(job)`, which starts `job` so that it waits for the event `go`, and `end()`, which waits for its end. */
  readonly setup: string;
  /** How a cell starts the job and ends it. */
  readonly start: string;
  readonly end: string;
}

const THREAD_JOB = [
  'import asyncio, threading, concurrent.futures, time',
  'seen = []',
  'go = threading.Event()',
  'def job():',
  '    go.wait(10)',
  '    print("LATE", end="")',
  '    print(" LINE")',
  '    try: seen.append(str(llm_query("late")))',
  '    except LLMError as e: seen.append((e.code, str(e)))',
];

const TASK_JOB = [
  'import asyncio',
  'seen = []',
  'go = asyncio.Event()',
  'async def job():',
  '    await go.wait()',
  '    print("LATE", end="")',
  '    print(" LINE")',
  '    try: seen.append(str(await allm_query("late")))',
  '    except LLMError as e: seen.append((e.code, str(e)))',
];

const CASES: readonly LateCase[] = [
  {
    name: 'a task',
    setup: TASK_JOB.join('\n'),
    start: 'task = asyncio.create_task(job())\nawait asyncio.sleep(0)',
    end: 'go.set()\nawait task',
  },
  {
    name: 'a task that a task has started',
    setup: [...TASK_JOB, 'async def outer():', '    await go.wait()', '    await asyncio.create_task(job())'].join(
      '\n',
    ),
    start: 'task = asyncio.create_task(outer())\nawait asyncio.sleep(0)',
    end: 'go.set()\nawait task',
  },
  {
    name: 'a task of a callback of loop.call_later',
    setup: [...TASK_JOB, 'made = []', 'def call(): made.append(asyncio.ensure_future(job()))'].join('\n'),
    start: 'asyncio.get_event_loop().call_later(0.05, call)\nawait asyncio.sleep(0)',
    end: 'go.set()\nwhile not made: await asyncio.sleep(0.01)\nawait made[0]',
  },
  {
    name: 'a callback of a future',
    setup: [
      ...TASK_JOB,
      'future = asyncio.get_event_loop().create_future()',
      'def call(_):',
      '    print("LATE LINE")',
      '    try: seen.append(str(llm_query("late")))',
      '    except LLMError as e: seen.append((e.code, str(e)))',
    ].join('\n'),
    start: 'future.add_done_callback(call)\nawait asyncio.sleep(0)',
    end: 'future.set_result(1)\nawait asyncio.sleep(0)\nawait asyncio.sleep(0)',
  },
  {
    name: 'a thread',
    threads: true,
    setup: THREAD_JOB.join('\n'),
    start: 't = threading.Thread(target=job)\nt.start()',
    end: 'go.set()\nt.join(10)',
  },
  {
    name: 'a thread of _thread',
    threads: true,
    setup: `import _thread\n${THREAD_JOB.join('\n')}`,
    start: '_thread.start_new_thread(job, ())\nNone',
    end: 'go.set()\nwhile not seen: time.sleep(0.01)',
  },
  {
    name: 'a thread that a thread has started',
    threads: true,
    setup: [
      ...THREAD_JOB,
      'def outer():',
      '    go.wait(10)',
      '    t = threading.Thread(target=job)',
      '    t.start()',
      '    t.join(10)',
    ].join('\n'),
    start: 't = threading.Thread(target=outer)\nt.start()',
    end: 'go.set()\nt.join(10)',
  },
  {
    name: 'a timer',
    threads: true,
    setup: THREAD_JOB.join('\n'),
    start: 't = threading.Timer(0.05, job)\nt.start()',
    end: 'go.set()\nt.join(10)',
  },
  {
    name: 'the work of an executor',
    threads: true,
    setup: THREAD_JOB.join('\n'),
    start: 'pool = concurrent.futures.ThreadPoolExecutor(1)\nf = pool.submit(job)',
    end: 'go.set()\nf.result()\npool.shutdown()',
  },
  {
    name: 'work queued in an executor',
    threads: true,
    setup: THREAD_JOB.join('\n'),
    start: 'pool = concurrent.futures.ThreadPoolExecutor(1)\nh = pool.submit(go.wait, 10)\nf = pool.submit(job)',
    end: 'go.set()\nf.result()\npool.shutdown()',
  },
  {
    name: 'asyncio.run in a thread',
    threads: true,
    setup: [
      ...THREAD_JOB,
      'async def main():',
      '    while not go.is_set(): await asyncio.sleep(0.01)',
      '    print("LATE", end="")',
      '    print(" LINE")',
      '    try: seen.append(str(await allm_query("late")))',
      '    except LLMError as e: seen.append((e.code, str(e)))',
    ].join('\n'),
    start: 't = threading.Thread(target=lambda: asyncio.run(main()))\nt.start()',
    end: 'go.set()\nt.join(10)',
  },
  {
    name: 'asyncio.to_thread',
    threads: true,
    setup: THREAD_JOB.join('\n'),
    start: 'task = asyncio.create_task(asyncio.to_thread(job))\nawait asyncio.sleep(0.05)',
    end: 'go.set()\nawait task',
  },
];

const REFUSED =
  /^\[\('cancelled', 'the cell that started this thread or task \(L1\) has ended; .*in the same cell'\)\]$/;

/** Threads and tasks that outlive their cell: what they ask is refused, what they print stays with their cell. */
export function describeLate(bench: () => Bench): void {
  const cell = async (code: string, handle: string) => {
    const outcome = await bench().repl.execute({ code, handle });
    expect(outcome.error).toBeNull();
    return outcome;
  };

  describe('what outlives its cell', () => {
    test.for(CASES)('$name: served and shown in its own cell', async ({ threads, setup, start, end }, context) => {
      if (threads && !bench().capabilities.threads) return context.skip('this backend has no threads');
      await cell(setup, 'L0');
      const { stdout } = await cell(`${start}\n${end}`, 'L1');
      expect(stdout.text).toBe('LATE LINE\n');
      expect(await bench().value('seen')).toBe("['echo: late']");
    });

    test.for(CASES)('$name: refused and kept apart in the next cell', async (one, context) => {
      const { threads, setup, start, end } = one;
      if (threads && !bench().capabilities.threads) return context.skip('this backend has no threads');
      bench().host.onHistory = (read) => (read.op === 'by-id' ? `output of ${read.id}` : 0);
      await cell(setup, 'L0');
      expect((await cell(`print("first")\n${start}`, 'L1')).stdout.text).toBe('first\n');
      const second = await cell(`print("sec", end="")\n${end}\nprint("ond")`, 'L2');
      expect(second.stdout.text).toBe('second\n');
      expect(bench().host.calls).toEqual([]);
      expect(await bench().value('seen')).toMatch(REFUSED);
      expect(await bench().value('history["L1"]')).toBe(
        String.raw`'output of L1\n[printed after the end of the cell]\nLATE LINE\n'`,
      );
      expect(await bench().value('history["L2"]')).toBe("'output of L2'");
    });

    test('tools, history, projections and answers are refused as well', async () => {
      await bench().repl.bind({
        values: { docs: { kind: 'projection', id: 'p1', shape: 'list', size: 2 } },
        tools: [{ name: 'look', description: 'Looks.', parameters: [] }],
      });
      bench().host.onProjection = () => ['a', 'b'];
      const jobs =
        'for f in (look, lambda: history["t1.0"], lambda: docs[0], lambda: FINAL("late"), lambda: continue_with("x")):';
      const code = [
        'import asyncio',
        'refused = []',
        'async def late():',
        '    await asyncio.sleep(0)',
        `    ${jobs}`,
        '        try: refused.append(f())',
        '        except LLMError as e: refused.append(e.code)',
        'task = asyncio.create_task(late())',
      ].join('\n');
      await cell(code, 'L1');
      const { value, answer } = await cell('await task\nrefused', 'L2');
      expect(answer).toBeUndefined();
      expect(value).toBe("['cancelled', 'cancelled', 'cancelled', 'cancelled', 'cancelled']");
      expect((await cell('look(), docs[0]', 'L3')).value).toBe("({'name': 'look', 'args': {}}, 'a')");
    });

    test('a coroutine, a generator and a finalizer belong to the cell that runs them', async () => {
      await cell('c = allm_query("c")\ndef g():\n    yield llm_query("g")\ng = g()', 'L1');
      await cell('class F:\n    def __del__(self): print("gone", llm_query("f"))\nf = F()', 'L1');
      expect((await cell('[await c, next(g)]', 'L2')).value).toBe("['echo: c', 'echo: g']");
      expect((await cell('del f', 'L3')).stdout.text).toBe('gone echo: f\n');
      expect(bench().host.calls.map(promptOf)).toEqual(['c', 'g', 'f']);
    });

    test('an executor of an earlier cell serves later ones', async () => {
      await cell('from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(2)', 'L1');
      await cell('def ask(p):\n    print(p)\n    return llm_query(p)', 'L1');
      expect((await cell('list(pool.map(ask, "ab"))', 'L1')).value).toBe("['echo: a', 'echo: b']");
      const { value, stdout } = await cell('list(pool.map(ask, "cd"))', 'L2');
      expect(value).toBe("['echo: c', 'echo: d']");
      expect(stdout.text.split('').sort().join('')).toBe('\n\ncd');
    });

    test('what is printed late is bounded, between cells too', async (context) => {
      if (!bench().capabilities.threads) return context.skip('this backend has no threads');
      bench().host.onHistory = (read) => (read.op === 'by-id' ? '' : 0);
      const code = [
        'import threading, time',
        'go, over = threading.Event(), threading.Event()',
        'def late():',
        '    time.sleep(0.05)',
        '    for _ in range(100): print("x" * 9_999)',
        '    over.set()',
        'threading.Thread(target=late).start()',
      ].join('\n');
      await cell(code, 'L1');
      await expect.poll(() => bench().value('over.is_set()')).toBe('True');
      expect((await cell('1', 'L2')).stdout.text).toBe('');
      const text = 'history["L1"]';
      expect(await bench().value(`65_000 < len(${text}) < 66_000`)).toBe('True');
      expect(await bench().value(`${text}[-100:]`)).toContain(`${1_000_000 - 65_536} bytes left out`);
    });
  });
}
