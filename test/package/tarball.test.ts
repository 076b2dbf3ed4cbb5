/** The package as users get it: packed, installed into an empty project, imported, typed, run. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DOOR_PROGRAM } from './door-program.ts';
import { codeBlocks } from './readme.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const INSTALL_MS = 120_000;
let folder = '';
let project = '';
let packed: readonly string[] = [];
/** How the installation went; undefined where no registry was in reach. */
let installed: { readonly ms: number; readonly output: string } | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-package-'));
  project = join(folder, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  // `prepack` builds what the sources are now, unless `npm test` has: its other tests use the same `dist`.
  const unbuilt = process.env.FATHOM_TEST_MAIN === undefined ? [] : ['--ignore-scripts'];
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder, ...unbuilt], { cwd: ROOT });
  const [report] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [{ filename: string; files: { path: string }[] }];
  packed = report.files.map(({ path }) => path);
  await install(join(folder, report.filename));
}, INSTALL_MS + 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** With npm, from its cache or the registry; where neither has what is needed, from this repository's own production dependencies. */
async function install(tarball: string): Promise<void> {
  const args = ['install', tarball, '--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries=0'];
  try {
    const start = performance.now();
    const { stdout, stderr } = await run('npm', args, { cwd: project, timeout: INSTALL_MS });
    installed = { ms: performance.now() - start, output: stdout + stderr };
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
    // Documents that README and SECURITY link to.
    'docs/cli.md',
    'docs/isolation-pyodide.md',
    'docs/reply-protocol.md',
    'dist/index.mjs',
    'dist/index.d.mts',
    'dist/ai-sdk.mjs',
    'dist/ai-sdk.d.mts',
    'dist/policy/index.mjs',
    'dist/policy/index.d.mts',
    'dist/policy/THIRD-PARTY-NOTICES.txt',
    'dist/guard.mjs',
    'dist/guard.d.mts',
    'dist/compact.mjs',
    'dist/compact.d.mts',
    'dist/test.mjs',
    'dist/mcp.mjs',
    'dist/mcp.d.mts',
    'dist/server.mjs',
    'dist/server.d.mts',
    'docs/server.md',
    'dist/cli/main.mjs',
    'dist/repl/pyodide/worker/main.mjs',
    'dist/repl/pyodide/shell/just-bash.mjs',
    'dist/repl/pyodide/shell/THIRD-PARTY-NOTICES.txt',
    'dist/convert/worker/main.mjs',
    'dist/convert/worker/sql.mjs',
    'dist/convert/worker/THIRD-PARTY-NOTICES.txt',
    'dist/schema/validator-worker.mjs',
    'dist/page/app.js',
    'dist/page/app.css',
    'dist/page/THIRD-PARTY-NOTICES.txt',
    'docs/bundling.md',
    'examples/quickstart.ts',
    'guest/fathom_guest/guest.py',
    'guest/fathom_pyodide/__init__.py',
    'guest/fathom_native/__main__.py',
  ]) {
    expect(packed).toContain(path);
  }
  const allowed =
    /^(README|LICENSE|CHANGELOG|SECURITY)|^package\.json$|^docs\/[\w-]+\.md$|^docs\/page-(light|dark)\.png$|^dist\/.*\.(mjs|d\.mts)$|^dist\/page\/app\.(js|css)$|^dist\/.*\/THIRD-PARTY-NOTICES\.txt$|^examples\/[\w-]+\.ts$|^guest\/fathom_\w+\/.*\.py$/;
  expect(packed.filter((path) => !allowed.test(path))).toEqual([]);
});

test("the README's example runs in an empty project", async () => {
  const [example = ''] = codeBlocks('ts');
  writeFileSync(join(project, 'example.mjs'), example);
  const { stdout } = await run(process.execPath, ['example.mjs'], { cwd: project });
  expect(stdout.trim()).toBe('converged 3 2 turns');
  expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).toContain(`It prints \`${stdout.trim()}\``);
});

interface LockedPackage {
  readonly hasInstallScript?: boolean;
  readonly license?: string;
}

test('a fresh installation is small: at most 45 packages, no install scripts, no native code, no copyleft', async (context) => {
  if (installed === undefined) return context.skip('npm install has no registry here');
  const lock = JSON.parse(readFileSync(join(project, 'node_modules/.package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  const packages = Object.entries(lock.packages);
  console.log(`a fresh installation: ${packages.length} packages in ${Math.round(installed.ms)} ms`);
  expect(packages.length).toBeLessThanOrEqual(45);
  expect(packages.length).toBeGreaterThan(10);
  const names = (holds: (found: LockedPackage) => boolean): string[] =>
    packages.filter(([, found]) => holds(found)).map(([path]) => path);
  expect(names(({ hasInstallScript }) => hasInstallScript === true)).toEqual([]);
  expect(names(({ license }) => license === undefined || /GPL/.test(license))).toEqual([]);
  expect(installed.output).not.toMatch(/install.?scripts|allowScripts|EBADENGINE|deprecated/);
  const { stdout } = await run('find', [
    join(project, 'node_modules'),
    '-name',
    '*.node',
    '-o',
    '-name',
    'binding.gyp',
  ]);
  expect(stdout).toBe('');
});

test('the licences of bundled code are in the package', () => {
  const path = join(project, 'node_modules/fathom-rlm/dist/repl/pyodide/shell/THIRD-PARTY-NOTICES.txt');
  const text = readFileSync(path, 'utf8');
  for (const name of [
    'just-bash',
    'diff',
    'minimatch',
    'sprintf-js',
    'turndown',
    '@mixmark-io/domino',
    'yaml',
    're2js',
  ])
    expect(text).toMatch(new RegExp(`^${name} [\\d.]+ \\(`, 'm'));
  const licences = [...text.matchAll(/^\S+ \d[\d.]* \((.+)\)$/gm)].map(([, licence]) => licence);
  expect(licences.length).toBeGreaterThan(10);
  expect(
    licences.filter((licence) => !/^(MIT|ISC|BSD-[23]-Clause|Apache-2\.0|BlueOak-1\.0\.0)$/.test(licence ?? '')),
  ).toEqual([]);
  expect(text).not.toMatch(/GNU (LESSER )?GENERAL PUBLIC/i);
});

test('the entries of the doors run in an empty project', async () => {
  writeFileSync(join(project, 'doors.ts'), DOOR_PROGRAM);
  const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', 'doors.ts'], {
    cwd: project,
  });
  expect(stdout).toContain("{ type: 'text', text: 'yes' }");
  expect(stdout).toContain('"content":"yes"');
  expect(stdout).toContain('"name":"rollback"');
});

test.each([true, false])('its types resolve and fit with skipLibCheck %s', async (skipLibCheck) => {
  const [example = ''] = codeBlocks('ts');
  writeFileSync(
    join(project, 'example.ts'),
    `${example}\nconst text: string | undefined = result.answer;\n// @ts-expect-error: a model is needed\ncreateRlm({});\nconsole.log(text);\n`,
  );
  writeFileSync(join(project, 'doors.ts'), DOOR_PROGRAM);
  const compilerOptions = { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, types: ['node'] };
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...compilerOptions, skipLibCheck }, files: ['example.ts', 'doors.ts'] }),
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

const EXTERNAL = ['--external:fathom-rlm', '--external:pyodide'];
const PROGRAM = `
import { createRlm } from 'fathom-rlm';
import { scriptedModel } from 'fathom-rlm/test';
const run = async () => {
  const model = scriptedModel(['\`\`\`python\\nn = len(context)\\nprint(n)\\n\`\`\`', 'FINAL_VAR(n)']);
  const rlm = createRlm({ model, repl: process.argv[2] });
  try {
    console.log((await rlm.completion({ query: 'How long?', context: 'eleven eggs' })).answer);
  } catch (error) {
    console.log(error.code, error.message);
  }
  await rlm.close();
};
run();
`;

/** Bundles the program, in the project or where no node_modules is above it, and runs it. */
async function bundled(request: {
  readonly format: 'esm' | 'cjs';
  readonly flags: readonly string[];
  readonly repl: string;
  readonly where?: string;
}): Promise<string> {
  const { format, flags, repl, where = project } = request;
  writeFileSync(join(project, 'program.js'), PROGRAM);
  const file = join(where, format === 'esm' ? 'bundle.mjs' : 'bundle.cjs');
  const args = ['program.js', '--bundle', '--platform=node', `--format=${format}`, `--outfile=${file}`, ...flags];
  await run(join(ROOT, 'node_modules/.bin/esbuild'), ['--log-level=error', ...args], { cwd: project });
  return (await run(process.execPath, [file, repl], { cwd: where })).stdout.trim();
}

test.each([
  { format: 'esm', repl: 'pyodide' },
  { format: 'cjs', repl: 'pyodide' },
  { format: 'esm', repl: 'auto' },
] as const)('bundled by esbuild as $format with external packages it answers ($repl)', async (how) => {
  expect(await bundled({ ...how, flags: EXTERNAL })).toBe('11');
});

test.each([
  { format: 'esm', repl: 'pyodide', flags: [] },
  { format: 'cjs', repl: 'pyodide', flags: [] },
  { format: 'esm', repl: 'auto', flags: [] },
  { format: 'esm', repl: 'python', flags: [] },
  { format: 'esm', repl: 'pyodide', flags: ['--external:pyodide'] },
] as const)('bundled by esbuild as $format without $flags the error names the remedy ($repl)', async (how) => {
  const where = join(folder, 'deployed');
  mkdirSync(where, { recursive: true });
  // Packages that esbuild's ESM output cannot contain call require(); Node's own is the usual remedy.
  const banner =
    how.format === 'esm'
      ? ["--banner:js=import{createRequire as r}from'node:module';const require=r(import.meta.url);"]
      : [];
  const said = await bundled({ ...how, where, flags: [...how.flags, ...banner] });
  expect(said).toMatch(/^repl-failure /);
  expect(said).toContain('keep `fathom-rlm` and `pyodide` external');
  expect(said).toContain('docs/bundling.md');
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
