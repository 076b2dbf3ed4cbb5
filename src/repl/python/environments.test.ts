/** Virtual environments: a plain start of Python reads them, and so must ours, which does it in the box. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { LIMITS, testHost } from '../../../test/repl-conformance/bench.ts';
import { pythonBackend } from './backend.ts';
import { findInterpreter } from './interpreter.ts';
import { describeWithPython } from './testing.ts';

await describeWithPython('python in a virtual environment', () => {
  test('has its prefix and packages; the code of a .pth file runs in the box', async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'fathom-venv-')));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    chmodSync(folder, 0o755); // the user that cells run as reads it
    const venv = join(folder, 'venv');
    execFileSync((await findInterpreter()).executable, ['-m', 'venv', '--without-pip', venv]);
    const library = join(venv, 'lib', readdirSync(join(venv, 'lib'))[0] ?? '', 'site-packages');
    mkdirSync(join(library, 'greeting'));
    writeFileSync(join(library, 'greeting', '__init__.py'), 'WORD = "hello"\n');
    const seen = join(folder, 'seen');
    writeFileSync(seen, '');
    writeFileSync(
      join(library, 'start.pth'),
      `import os, sys; sys.started = [os.path.exists(${JSON.stringify(seen)}), os.getpid()]\n`,
    );

    const backend = pythonBackend({ python: join(venv, 'bin', 'python') });
    onTestFinished(() => backend.close());
    const repl = await backend.open({ limits: LIMITS, host: testHost(), least: 'namespace' });
    const code = 'import sys, greeting\nsys.prefix, greeting.WORD, sys.started, sys.path.count(sys.path[-1])';
    const { value, error } = await repl.execute({ code, handle: 't1.0', timeoutMs: 10_000 });
    expect(error).toBeNull();
    expect(value).toBe(`('${venv}', 'hello', [False, 1], 1)`);
  });
});
