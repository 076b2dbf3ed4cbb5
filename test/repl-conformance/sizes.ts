import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { CellOutcome } from '../../src/repl/port.ts';
import { renderShown } from '../../src/repl/shown.ts';
import type { Bench } from './bench.ts';

/**
 * Python that ends its own cell by a frame of its own making: `forge(header, part, …)`. The guest's own result is
 * swallowed once, so that the REPL continues afterwards.
 */
const FORGE = [
  'C = history._channel',
  'own = C.result',
  'def forge(header, *parts):',
  '    def once(*a): C.result = own',
  '    C.result = once',
  '    parts = [part if isinstance(part, bytes) else part.encode() for part in parts]',
  '    C.send(2, C.command_id, {**header, "parts": [len(part) for part in parts]}, parts)',
  '',
].join('\n');

/** Characters of an outcome's fields that are shown, by the name of the field. */
function sizesOf({ error, variables, value, continueWith, rebound }: CellOutcome): Record<string, number> {
  const row = variables?.[0];
  return {
    type: error?.type.length ?? 0,
    message: error?.message.length ?? 0,
    traceback: error?.traceback.length ?? 0,
    name: row?.name.length ?? 0,
    kind: row?.type.length ?? 0,
    preview: row?.preview?.length ?? 0,
    value: value?.length ?? 0,
    continueWith: continueWith?.length ?? 0,
    rebound: rebound?.join('').length ?? 0,
  };
}

/** Sizes of what a guest sends: none reaches the model, an event or the host's memory whole. */
export function describeSizes(bench: () => Bench): void {
  const OUTPUT_CHARS = 1_000;
  const limits = { outputChars: OUTPUT_CHARS };

  describe('sizes', () => {
    test('forged texts of 4 MB are cut, short ones arrive as they are', async () => {
      const repl = await bench().open(limits);
      const run = (code: string) => repl.execute({ code: `${FORGE}${code}`, handle: 't1.0' });
      const attacks = (n: number): readonly string[] => [
        `forge({"ok": False, "error": {"type": "E"}, "variables": []}, "m" * ${n}, "t")`,
        `forge({"ok": False, "error": {"type": "E"}, "variables": []}, "m", "t" * ${n})`,
        `forge({"ok": False, "error": {"type": "E"}, "variables": []}, "m" * ${n}, "m" * ${n})`,
        `forge({"ok": True, "continue": True, "variables": []}, "c" * ${n})`,
        `forge({"ok": True, "variables": [{"name": "n" * ${Math.min(n, 20_000)}, "type": "k" * ${Math.min(n, 20_000)}, "preview": "p" * ${Math.min(n, 20_000)}}]})`,
        `forge({"ok": True, "variables": [], "rebound": ["r" * ${Math.min(n, 5_000)}] * 10})`,
      ];
      const none = sizesOf({
        ok: true,
        stdout: { text: '', dropped: 0 },
        stderr: { text: '', dropped: 0 },
        value: null,
        error: null,
        durationMs: 0,
        timedOut: false,
      });
      for (const code of attacks(150)) {
        const sizes = sizesOf(await run(code));
        expect(Math.max(...Object.values(sizes)), `the control failed: ${code}`).toBeGreaterThanOrEqual(150);
      }
      for (const code of attacks(4_000_000)) {
        const outcome = await run(code);
        const sizes = sizesOf(outcome);
        expect(sizes, code).not.toEqual(none);
        for (const [field, chars] of Object.entries(sizes)) {
          expect(chars, `${field} of ${code}`).toBeLessThan(field === 'rebound' ? 2_200 : OUTPUT_CHARS + 100);
        }
        expect(renderShown(outcome, limits, 't1.0').length).toBeLessThan(OUTPUT_CHARS + 500);
      }
      expect((await repl.execute({ code: '1 + 1', handle: 't1.0' })).value).toBe('2');
    }, 60_000);

    test('an error that quotes the context shows outputChars of it, its last line and its place', async () => {
      const repl = await bench().open(limits);
      await repl.bind({ values: { context: { kind: 'text', text: 'secret text '.repeat(100_000) } } });
      for (const code of [
        'assert context == "", context',
        'raise ValueError(context) from KeyError(context)',
        'class Odd(Exception): pass\nraise Odd(context, context)',
        'e = ValueError("short")\ne.add_note(context)\nraise e',
        'raise ExceptionGroup(context, [ValueError(context)])',
        'int(context)',
      ]) {
        const outcome = await repl.execute({ code, handle: 't1.0' });
        const shown = renderShown(outcome, limits, 't1.0');
        expect(outcome.error?.message.length, code).toBeLessThan(OUTPUT_CHARS / 2 + 100);
        expect(shown.length, code).toBeLessThan(OUTPUT_CHARS + 200);
        expect(shown.split('secret text').length, code).toBeLessThan(90);
      }
      const { error } = await repl.execute({ code: 'x = 1\nassert x == 2, context', handle: 't1.0' });
      expect(error?.traceback).toContain('line 2');
      expect(error?.traceback.trimEnd().endsWith('secret text')).toBe(true);
      // The control: with more room the same error says more.
      const wide = await bench().open({ outputChars: 20_000 });
      await wide.bind({ values: { context: { kind: 'text', text: 'secret text '.repeat(100_000) } } });
      const whole = await wide.execute({ code: 'assert context == "", context', handle: 't1.0' });
      expect(renderShown(whole, { outputChars: 20_000 }, 't1.0').length).toBeGreaterThan(9_000);
    }, 60_000);

    test.each([
      ['nested lists', `'{"op":"history","read":"length","x":' + "[" * 2_000_000 + "]" * 2_000_000 + "}"`],
      ['objects', `'{"op":"history","read":"length","x":[' + "{}," * 1_300_000 + "0]}"`],
      ['a long text', `'{"op":"history","read":"length","x":"' + "x" * 4_000_000 + '"}'`],
      ['calls without number', `'{"op":"calls","calls":[' + "{}," * 1_300_000 + "0]}"`],
    ])(
      'a header of 4 MB ends the guest before it is parsed: %s',
      async (_name, header) => {
        const send = 'C.request_encoded(header, (), (type(C._command_slot)(),))';
        const code = `${FORGE}header = (${header}).encode()\nfor i in range(50): ${send}\nwhile True: pass`;
        const before = process.memoryUsage.rss();
        const outcome = await bench().run(code);
        expect(outcome.error?.message).toContain('longer than 65536 bytes');
        expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000);
        expect(await bench().value('llm_query("still")')).toBe("'echo: still'");
      },
      60_000,
    );

    test('a flood of the largest headers is served, and costs the host no memory', async () => {
      const header = `'{"op":"history","read":"length","x":[' + '[],' * 20_000 + '0]}'`;
      const flood = `${FORGE}slots = []\nfor i in range(300):\n    slot = type(C._command_slot)()\n    C.request_encoded((${header}).encode(), (), (slot,))\n    slots.append(slot)\nfor slot in slots: C.wait(slot)\nlen(slots)`;
      await bench().run(flood);
      const before = process.memoryUsage.rss();
      expect(await bench().value(flood)).toBe('300');
      expect(process.memoryUsage.rss() - before).toBeLessThan(60_000_000);
    }, 60_000);

    test('honest batches of any options, and children with large contexts, fit into the bounds', async () => {
      const repl = await bench().open({ callWindow: 3_000 });
      const code = [
        'import asyncio',
        'model = "\\u00fc" * 400',
        'async def one(i): return await allm_query(f"q{i}", model=model[:390] + str(i))',
        'many = await asyncio.gather(*[one(i) for i in range(1_000)])',
        'options = llm_query_batched([f"p{i}" for i in range(20_000)])',
        'large = rlm_query_batched([("q", "x" * 5_000_000) for i in range(30)])',
        '[len(many), len(options), len(large), all(r.ok for r in large), many[7], options[-1]]',
      ].join('\n');
      // No child ends before thirteen are open: with fewer at once the cell would not end.
      const thirteen = Promise.withResolvers<void>();
      let open = 0;
      let most = 0;
      bench().host.onCall = async (call) => {
        if (call.kind === 'llm') return `echo: ${call.prompt}`;
        open += 1;
        most = Math.max(most, open);
        if (open === 13) thirteen.resolve();
        await thirteen.promise;
        open -= 1;
        return `of ${call.context?.kind}`;
      };
      const outcome = await repl.execute({ code, handle: 't1.0' });
      expect(outcome.error).toBeNull();
      expect(outcome.value).toBe("[1000, 20000, 30, True, 'echo: q7', 'echo: p19999']");
      expect(most).toBe(13);
    }, 60_000);

    test('values that are begun and never ended take a few descriptors of the host', async (context) => {
      if (process.platform !== 'linux') return context.skip('the host has no list of its descriptors here');
      const repl = await bench().open();
      const code = `${FORGE}piece = b"x" * (1024 * 1024 + 1)\nfor i in range(C._next_id, C._next_id + 200): C.send(6, i, {"more": True}, (piece,))\nwhile True: pass`;
      const before = readdirSync('/proc/self/fd').length;
      const watch = { most: 0 };
      const timer = setInterval(() => {
        watch.most = Math.max(watch.most, readdirSync('/proc/self/fd').length - before);
      }, 1);
      const outcome = await repl.execute({ code, handle: 't1.0' });
      clearInterval(timer);
      expect(outcome.error?.message).toContain('large values');
      expect(watch.most).toBeLessThan(60);
    }, 60_000);
  });
}
