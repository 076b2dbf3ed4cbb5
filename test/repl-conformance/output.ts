import { describe, expect, test } from 'vitest';
import { type Bench, LIMITS } from './bench.ts';

/** Output: captured apart, bounded, never mistaken for control data. */
export function describeOutput(bench: () => Bench): void {
  describe('output', () => {
    test('keeps stdout and stderr apart', async () => {
      const { stdout, stderr } = await bench().run('import sys\nprint("out")\nprint("err", file=sys.stderr)');
      expect(stdout).toEqual({ text: 'out\n', dropped: 0 });
      expect(stderr).toEqual({ text: 'err\n', dropped: 0 });
    });

    test('keeps what was printed before an error', async () => {
      const { stdout, ok } = await bench().run('print("before")\nprint("same line", end="")\n1/0');
      expect(ok).toBe(false);
      expect(stdout.text).toBe('before\nsame line');
    });

    test('takes bytes written to sys.stdout.buffer, also bytes that are not UTF-8', async () => {
      const { stdout } = await bench().run(
        'import sys\nsys.stdout.buffer.write("é\\n".encode() + b"\\xff\\x00")\nNone',
      );
      expect(stdout.text).toBe('é\n\ufffd\0');
    });

    test('replaces lone surrogates by U+FFFD and keeps everything else', async () => {
      const { stdout } = await bench().run('print("a\\ud800b 😀 \\u202e \\x1b[31m \\x00")');
      expect(stdout.text).toBe('a\ufffdb 😀 \u202e \u001b[31m \0\n');
    });

    test('streams pieces while the cell runs', async () => {
      const pieces: string[] = [];
      const code = 'print("first")\nllm_query("wait")\nprint("second")';
      bench().host.onCall = () => {
        expect(pieces.join('')).toBe('first\n');
        return 'ok';
      };
      await bench().repl.execute({ code, handle: 't1.0', onOutput: (_stream, text) => pieces.push(text) });
      expect(pieces.join('')).toBe('first\nsecond\n');
    });

    test('keeps the first and the last half of outputBytes and counts what is dropped exactly', async () => {
      const lines = 200_000;
      const { stdout } = await bench().run(`for i in range(${lines}): print(f"{i:07d}")`);
      const { text, dropped, gapAt } = stdout;
      expect(text.length + dropped).toBe(lines * 8);
      expect(text.length).toBeLessThanOrEqual(LIMITS.outputBytes);
      expect(text.length).toBeGreaterThan(LIMITS.outputBytes - 100_000);
      expect(text.startsWith('0000000\n0000001\n')).toBe(true);
      expect(text.endsWith(`${String(lines - 1).padStart(7, '0')}\n`)).toBe(true);
      expect(gapAt).toBe(LIMITS.outputBytes / 2);
    });

    test('counts characters, not bytes', async () => {
      const { stdout } = await bench().run('print("é" * 3_000_000, end="")');
      expect([...stdout.text].length + stdout.dropped).toBe(3_000_000);
      expect(stdout.text.isWellFormed()).toBe(true);
      expect(stdout.text).not.toContain('\ufffd');
    });

    test('is drained in a flood of both streams', async () => {
      const code =
        'import sys\nfor i in range(200):\n    print("o" * 50_000)\n    print("e" * 50_000, file=sys.stderr)';
      const { ok, stdout, stderr } = await bench().run(code);
      expect(ok).toBe(true);
      expect(stdout.text.length + stdout.dropped).toBe(200 * 50_001);
      expect(stderr.text.length + stderr.dropped).toBe(200 * 50_001);
      expect(stdout.text.length + stderr.text.length).toBeLessThanOrEqual(LIMITS.outputBytes);
    });

    test('works with redirect_stdout and comes back after it', async () => {
      const code =
        'import io, contextlib\nb = io.StringIO()\nwith contextlib.redirect_stdout(b): print("in")\nprint("out", b.getvalue())';
      expect((await bench().run(code)).stdout.text).toBe('out in\n\n');
    });

    test('comes back in the next cell when a cell replaced, closed or detached sys.stdout', async () => {
      for (const code of [
        'import io, sys\nsys.stdout = io.StringIO()\nprint("lost")',
        'import sys\nsys.stdout.close()\nsys.stderr.close()',
        'import sys\nx = sys.stdout.detach()',
        'import sys\nsys.stdout = sys.stderr = None',
        'import sys\ndel sys.stdout',
      ]) {
        await bench().run(code);
        expect((await bench().run('print("back")')).stdout.text).toBe('back\n');
      }
    });

    test('includes what a writer over sys.stdout.buffer holds back at the end of the cell', async () => {
      const code =
        'import io, sys\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="latin-1")\nprint("held")';
      expect((await bench().run(code)).stdout.text).toBe('held\n');
    });

    test('includes logging and warnings', async () => {
      const code = 'import logging, warnings\nlogging.getLogger("x").warning("careful")\nwarnings.warn("old")';
      const { stderr } = await bench().run(code);
      expect(stderr.text).toContain('careful');
      expect(stderr.text).toContain('old');
    });

    test('is not mistaken for frames', async () => {
      const code =
        'import sys, struct\nfor t in range(8):\n    sys.stdout.buffer.write(struct.pack("<IBII", 9, t, 1, 0))\nprint("end")';
      const { ok, stdout } = await bench().run(code);
      expect(ok).toBe(true);
      expect(stdout.text.endsWith('end\n')).toBe(true);
    });

    test('survives an overridden print', async () => {
      await bench().run('saved = print\ndef print(*a, **k): saved("mine:", *a, **k)');
      expect((await bench().run('print("x")')).stdout.text).toBe('mine: x\n');
      await bench().run('del print');
    });
  });
}
