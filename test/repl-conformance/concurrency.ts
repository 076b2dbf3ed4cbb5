import { describe, expect, test } from 'vitest';
import { type Bench, badReply, LIMITS, promptOf } from './bench.ts';

/** Answers every call only when `count` of them are under way, so that a serial caller would never end. */
function together(count: number): (call: Parameters<typeof promptOf>[0]) => Promise<string> {
  let waiting: (() => void)[] = [];
  return async (call) => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length === count) {
        const all = waiting.reverse();
        waiting = [];
        for (const release of all) release();
      }
    });
    return promptOf(call);
  };
}

/** Calls side by side: coroutines, executors, threads. */
export function describeConcurrency(bench: () => Bench): void {
  describe('calls side by side', () => {
    test('asyncio.gather over allm_query sends all at once and keeps the order', async () => {
      bench().host.onCall = together(20);
      const code =
        'import asyncio\nlist(await asyncio.gather(*[allm_query(str(i)) for i in range(20)])) == [str(i) for i in range(20)]';
      expect(await bench().value(code)).toBe('True');
    });

    test('gather works inside asyncio.run and over coroutines that call several times', async () => {
      bench().host.onCall = together(8);
      const code = [
        'import asyncio',
        'async def two(i):',
        '    first = await allm_query(f"{i}a")',
        '    return first + await allm_query(f"{i}b")',
        'async def main(): return await asyncio.gather(*[two(i) for i in range(8)])',
        'asyncio.run(main()) == [f"{i}a{i}b" for i in range(8)]',
      ].join('\n');
      expect(await bench().value(code)).toBe('True');
    });

    test('the batched forms and children work in coroutines', async () => {
      const code = 'await allm_query_batched(["a", "b"]), await arlm_query("q", "c"), await arlm_query_batched(["x"])';
      expect(await bench().value(code)).toBe("(['echo: a', 'echo: b'], 'echo: q', ['echo: x'])");
    });

    test('a failed coroutine raises LLMError and leaves the others alone', async () => {
      bench().host.onCall = (call) => (promptOf(call) === 'bad' ? badReply('model-failure', 'no') : 'ok');
      const code =
        'import asyncio\n[type(r).__name__ for r in await asyncio.gather(allm_query("a"), allm_query("bad"), return_exceptions=True)]';
      expect(await bench().value(code)).toBe("['Reply', 'LLMError']");
    });

    test('as_completed gives replies as they come', async () => {
      bench().host.onCall = async (call) => {
        await new Promise((resolve) => setTimeout(resolve, Number(promptOf(call))));
        return promptOf(call);
      };
      const code = 'import asyncio\n[str(await f) for f in asyncio.as_completed([allm_query("60"), allm_query("1")])]';
      expect(await bench().value(code)).toBe("['1', '60']");
    });

    test('wait_for gives a call up in time and notifies the host', async () => {
      let aborted = false;
      bench().host.onCall = (_call, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            resolve(badReply('cancelled', 'given up'));
          });
        });
      const code =
        'import asyncio\ntry: await asyncio.wait_for(allm_query("slow"), 0.05)\nexcept asyncio.TimeoutError: print("timeout")\nllm = 1';
      const { stdout, error } = await bench().run(code);
      expect(error).toBeNull();
      expect(stdout.text).toBe('timeout\n');
      expect(aborted).toBe(true);
    });

    test('sleeping coroutines and calls interleave', async () => {
      const code = [
        'import asyncio',
        'order = []',
        'async def nap():',
        '    await asyncio.sleep(1)', // longer than a reply takes on a busy machine
        '    order.append("nap")',
        'async def ask():',
        '    order.append(str(await allm_query("q")))',
        'await asyncio.gather(nap(), ask())',
        'order',
      ].join('\n');
      expect(await bench().value(code)).toBe("['echo: q', 'nap']");
    });

    test('a coroutine that polls does not starve the replies', async () => {
      const code =
        'import asyncio\nt = asyncio.ensure_future(allm_query("q"))\nwhile not t.done(): await asyncio.sleep(0)\nt.result()';
      expect(await bench().value(code)).toBe("'echo: q'");
    });

    test('asyncio.to_thread of a query works', async () => {
      const code = 'import asyncio\nawait asyncio.gather(*[asyncio.to_thread(llm_query, str(i)) for i in range(4)])';
      expect(await bench().value(code)).toBe("['echo: 0', 'echo: 1', 'echo: 2', 'echo: 3']");
    });

    test('ThreadPoolExecutor.map of a query sends all at once and keeps the order', async () => {
      bench().host.onCall = together(8);
      const code = [
        'from concurrent.futures import ThreadPoolExecutor',
        'with ThreadPoolExecutor(max_workers=8) as pool:',
        '    replies = list(pool.map(llm_query, [str(i) for i in range(16)]))',
        'replies == [str(i) for i in range(16)]',
      ].join('\n');
      expect(await bench().value(code)).toBe('True');
    });

    test('submit, as_completed and wait work over queries and other functions', async () => {
      const code = [
        'import concurrent.futures as cf',
        'with cf.ThreadPoolExecutor(4) as pool:',
        '    futures = {pool.submit(llm_query, c): c for c in "abc"}',
        '    plain = pool.submit(lambda x: x * 2, 21)',
        '    texts = sorted(f"{futures[f]}={f.result()}" for f in cf.as_completed(futures))',
        '    done, pending = cf.wait([plain, *futures])',
        'texts, plain.result(), len(done), len(pending)',
      ].join('\n');
      expect(await bench().value(code)).toBe("(['a=echo: a', 'b=echo: b', 'c=echo: c'], 42, 4, 0)");
    });

    test('an executor runs functions that query, in any backend with the same results', async () => {
      const code = [
        'from concurrent.futures import ThreadPoolExecutor',
        'def twice(p): return llm_query(p) + llm_query(p)',
        'with ThreadPoolExecutor(4) as pool:',
        '    out = list(pool.map(twice, "ab"))',
        'out',
      ].join('\n');
      expect(await bench().value(code)).toBe("['echo: aecho: a', 'echo: becho: b']");
    });

    test('errors of submitted functions come out of result()', async () => {
      bench().host.onCall = () => badReply('model-failure', 'no');
      const code = [
        'from concurrent.futures import ThreadPoolExecutor',
        'with ThreadPoolExecutor(2) as pool:',
        '    errors = [type(pool.submit(f, a).exception()).__name__ for f, a in [(llm_query, "x"), (int, "y"), (llm_query, "")]]',
        'errors',
      ].join('\n');
      expect(await bench().value(code)).toBe("['LLMError', 'ValueError', 'ValueError']");
    });

    test('1 000 coroutines in flight stay within the window and all end', async () => {
      let most = 0;
      let now = 0;
      bench().host.onCall = async (call) => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setTimeout(resolve, 1));
        now -= 1;
        return promptOf(call);
      };
      const code = 'import asyncio\nlen(set(await asyncio.gather(*[allm_query(str(i)) for i in range(1000)])))';
      expect(await bench().value(code)).toBe('1000');
      expect(most).toBeLessThanOrEqual(LIMITS.callWindow);
    });

    test('calls of tasks left behind are aborted at cell end and refused later', async () => {
      let aborted = false;
      bench().host.onCall = (_call, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            resolve('too late');
          });
        });
      const start = 'import asyncio\nleft = asyncio.ensure_future(allm_query("never"))\nawait asyncio.sleep(0.01)';
      expect((await bench().run(start)).ok).toBe(true);
      expect(aborted).toBe(true);
      bench().host.onCall = () => 'fresh';
      const code = 'try: await left\nexcept LLMError as e: seen = str(e)\nseen, llm_query("x")';
      expect(await bench().value(code)).toMatch(/\('the cell that made this call has ended.*', 'fresh'\)/);
    });

    test('plain threads work, or fail with an error that says what to do', async () => {
      const code =
        'import threading\ngot = []\nt = threading.Thread(target=lambda: got.append(llm_query("t")))\nt.start()\nt.join()\ngot';
      const outcome = await bench().run(code);
      if (bench().capabilities.threads) expect(outcome.value).toBe("['echo: t']");
      else expect(outcome.error?.message).toContain('llm_query_batched');
    });

    test('64 threads wait at once and each gets its own reply', async (context) => {
      if (!bench().capabilities.threads) return context.skip();
      bench().host.onCall = together(32);
      const code = [
        'import threading',
        'got = {}',
        'def work(i): got[i] = str(llm_query(str(i)))',
        'threads = [threading.Thread(target=work, args=(i,)) for i in range(64)]',
        '[t.start() for t in threads]',
        '[t.join() for t in threads]',
        'got == {i: str(i) for i in range(64)}',
      ].join('\n');
      expect(await bench().value(code)).toBe('True');
    });

    test('FINAL in a thread ends the run at cell end without noise', async (context) => {
      if (!bench().capabilities.threads) return context.skip();
      const code =
        'import threading\nt = threading.Thread(target=lambda: FINAL("threaded"))\nt.start()\nt.join()\nprint("on")';
      const { answer, stdout, stderr } = await bench().run(code);
      expect(answer?.text).toBe('threaded');
      expect(stdout.text).toBe('on\n');
      expect(stderr.text).toBe('');
    });
  });
}
