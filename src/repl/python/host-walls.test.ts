/** The host's walls, as the user who runs the tests; for root also where cells keep root's user id. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { pythonBackend } from './backend.ts';
import { describeHostWalls } from './host-walls.testing.ts';
import { findInterpreter } from './interpreter.ts';
import { describeWithPython } from './testing.ts';

await describeWithPython('walls of the host', describeHostWalls);

if (process.geteuid?.() === 0) {
  test('root without CAP_SYS_ADMIN reaches the level namespace in the way tried below', () => {
    const code = `import { pythonBackend } from ${JSON.stringify(new URL('backend.ts', import.meta.url).href)};
      const backend = pythonBackend();
      const { mode, level, findings } = await backend.prove();
      console.log(JSON.stringify([mode, level, findings.metadata, findings.shared, findings.signals]));
      await backend.close();`;
    const rights = ['--bounding-set=-sys_admin', '--inh-caps=-sys_admin'];
    const node = [process.execPath, '--no-warnings', '--input-type=module', '-e', code];
    const printed = execFileSync('setpriv', [...rights, ...node], { encoding: 'utf8' });
    expect(JSON.parse(printed)).toEqual(['user', 'namespace', [], [], []]);
  });

  // The way of root without CAP_SYS_ADMIN: cells have root's user id outside.
  await describeWithPython('walls of the host, by user namespaces of root’s own', ({ name }) => {
    describeHostWalls({ name, options: { modes: ['user'] } });
  });

  const folder = mkdtempSync(join(tmpdir(), 'fathom-private-'));
  const python = join(folder, 'bin', 'python3');
  execFileSync((await findInterpreter()).executable, ['-m', 'venv', '--without-pip', folder]);
  chmodSync(folder, 0o700);
  await describeWithPython('walls of the host, with an interpreter that root alone can read', ({ name }) => {
    afterAll(() => rmSync(folder, { recursive: true }));

    test('cells keep root’s user id', async () => {
      const backend = pythonBackend({ python, modes: ['root'] });
      try {
        expect((await backend.prove()).short).toEqual([expect.stringContaining("root's user id")]);
      } finally {
        await backend.close();
      }
    });
    describeHostWalls({ name, options: { python, modes: ['root'] } });
  });
} else {
  console.warn('The walls of the host where cells keep root’s user id are left out: the tests do not run as root.');
}
