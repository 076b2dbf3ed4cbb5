/** The package as users get it: packed, installed into an empty project, imported, typed, run. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeBlocks } from './readme.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const INSTALL_MS = 120_000;
let folder = '';
let project = '';
let packed: readonly string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-package-'));
  project = join(folder, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  // `prepack` builds: what is packed is what the sources are now.
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: ROOT });
  const [report] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [{ filename: string; files: { path: string }[] }];
  packed = report.files.map(({ path }) => path);
  await install(join(folder, report.filename));
}, INSTALL_MS + 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** With npm, from its cache or the registry; where neither has what is needed, from this repository's own production dependencies. */
async function install(tarball: string): Promise<void> {
  const args = [
    'install',
    tarball,
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--fetch-retries=0',
    '--ignore-scripts',
  ];
  try {
    await run('npm', args, { cwd: project, timeout: INSTALL_MS });
  } catch (error) {
    console.log(
      `npm install has no registry here (${String((error as Error).message).split('\n')[0]}): linking this repository's production dependencies instead.`,
    );
    await link(tarball);
  }
}

async function link(tarball: string): Promise<void> {
  const modules = join(project, 'node_modules');
  const target = join(modules, 'fathom-rlm');
  rmSync(modules, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', target]);
  const listed = await run('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: ROOT });
  const prefix = join(ROOT, 'node_modules');
  for (const path of listed.stdout.split('\n').filter((line) => line.startsWith(`${prefix}/`))) {
    const name = path.slice(prefix.length + 1);
    if (name.includes('/node_modules/')) continue;
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(path, join(modules, name));
  }
  mkdirSync(join(modules, '.bin'), { recursive: true });
  symlinkSync(join(target, 'dist/cli/main.mjs'), join(modules, '.bin/fathom'));
}

test('it holds what it needs, and nothing else', () => {
  for (const path of [
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
    // What README and SECURITY link to.
    'docs/cli.md',
    'docs/isolation-pyodide.md',
    'docs/reply-protocol.md',
    'dist/index.mjs',
    'dist/index.d.mts',
    'dist/test.mjs',
    'dist/cli/main.mjs',
    'dist/repl/pyodide/child/main.mjs',
    'dist/schema/validator-worker.mjs',
    'guest/fathom_guest/guest.py',
    'guest/fathom_pyodide/__init__.py',
    'guest/fathom_native/__main__.py',
  ]) {
    expect(packed).toContain(path);
  }
  const allowed =
    /^(README|LICENSE|CHANGELOG|SECURITY)|^package\.json$|^docs\/[\w-]+\.md$|^dist\/.*\.(mjs|d\.mts)$|^guest\/fathom_\w+\/.*\.py$/;
  expect(packed.filter((path) => !allowed.test(path))).toEqual([]);
});

test("the README's example runs in an empty project", async () => {
  const [example = ''] = codeBlocks('ts');
  writeFileSync(join(project, 'example.mjs'), example);
  const { stdout } = await run(process.execPath, ['example.mjs'], { cwd: project });
  expect(stdout.trim()).toBe('converged 3 2 turns');
  expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).toContain(`It prints \`${stdout.trim()}\``);
});

test('its types resolve and fit', async () => {
  const [example = ''] = codeBlocks('ts');
  writeFileSync(
    join(project, 'example.ts'),
    `${example}\nconst text: string | undefined = result.answer;\n// @ts-expect-error: a model is needed\ncreateRlm({});\nconsole.log(text);\n`,
  );
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        module: 'nodenext',
        target: 'es2024',
        strict: true,
        noEmit: true,
        types: ['node'],
        skipLibCheck: true,
      },
      files: ['example.ts'],
    }),
  );
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  for (const name of ['@types/node', 'undici-types']) {
    if (!existsSync(join(project, 'node_modules', name))) {
      cpSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name), { recursive: true });
    }
  }
  await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', project], { cwd: project }).catch(
    (error: { stdout?: string }) => {
      throw new Error(error.stdout ?? String(error));
    },
  );
});

test('the command runs: its version, its help, an answer', async () => {
  const fathom = join(project, 'node_modules/.bin/fathom');
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const env = { PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`, HOME: process.env.HOME ?? '' };
  const call = async (...args: string[]) => (await run(fathom, args, { cwd: project, env })).stdout;
  expect((await call('--version')).trim()).toBe(version);
  expect(await call('ask', '--help')).toContain('--max-cost');
  writeFileSync(
    join(project, 'script.json'),
    JSON.stringify(['```python\nn = context.count("e")\n```', 'FINAL_VAR(n)']),
  );
  writeFileSync(join(project, 'words.txt'), 'eleven eggs');
  for (const repl of ['pyodide', 'auto']) {
    const answer = await call(
      'ask',
      'How many e?',
      '-f',
      'words.txt',
      '-m',
      'scripted:script.json',
      '--repl',
      repl,
      '-q',
    );
    expect(answer).toBe('4\n');
  }
});
