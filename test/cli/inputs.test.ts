/** Inputs of a first hour beside those of `context.test.ts`: large ones, full disks, sockets, odd names. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MockProvider, startMockProvider } from '../mock-provider/index.ts';
import { FATHOM_COMMAND, runFathom } from './run-fathom.ts';

const MODEL = ['-m', 'openai/gpt-5-mini'];
const LOOK = '```python\nFINAL(f"{len(context)} {context[-3:]!r} {context.count(chr(10))}")\n```';
/** The 1 GB of the report; a part of it where `npm run soak` does not ask for all. */
const LARGE_BYTES = process.env.FATHOM_SOAK === undefined ? 48_000_000 : 1_000_000_000;

let folder = '';
let mock: MockProvider;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-cli-inputs-'));
  mock = await startMockProvider({ respond: () => LOOK });
});
afterAll(async () => {
  await mock.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (args: readonly string[], options: Parameters<typeof runFathom>[1] = {}) =>
  runFathom(['ask', 'Q', ...MODEL, ...args], { cwd: folder, ...options, env: { ...mock.env, ...options.env } });

describe(`an input of ${LARGE_BYTES} bytes`, () => {
  test.each([
    ['lines', 'line of text\n', LARGE_BYTES],
    ['one line', 'words without an end ', LARGE_BYTES],
    ['letters of two bytes', 'ÄÖÜäöüßéèñ', LARGE_BYTES / 2],
  ])('by a pipe: %s', async (_, piece, characters) => {
    const input = Buffer.alloc(LARGE_BYTES, piece);
    const { code, stdout } = await ask(['--no-store'], { input });
    const [length, ...rest] = stdout.trim().split(' ');
    expect({ code, length }).toEqual({ code: 0, length: String(characters) });
    expect(rest.at(-1)).toBe(String(piece.endsWith('\n') ? Math.floor(LARGE_BYTES / piece.length) : 0));
  });
});

/** Runs the command with a temporary folder of 256 KiB, in namespaces of its own. */
function onFullDisk(args: string, input: string): { readonly status: number | null; readonly stderr: string } {
  const small = join(folder, 'small');
  mkdirSync(small, { recursive: true });
  const script = `mount -t tmpfs -o size=256k small '${small}' && ${input} ${FATHOM_COMMAND} ask Q ${MODEL.join(' ')} --no-store ${args}`;
  const env = { ...mock.env, PATH: process.env.PATH ?? '', HOME: folder, TMPDIR: small };
  const { status, stderr } = spawnSync('unshare', ['--mount', '--map-root-user', 'bash', '-c', script], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  return { status, stderr };
}

const canMount =
  spawnSync('unshare', ['--mount', '--map-root-user', 'mount', '-t', 'tmpfs', 'x', '/mnt'], { stdio: 'ignore' })
    .status === 0;
if (!canMount) console.warn('The tests of a full disk are left out: this machine allows no mounts of its own.');
describe.skipIf(!canMount)('a disk that is full', () => {
  test.each([
    ['a pipe', '', 'head -c 2000000 /dev/zero | tr "\\0" x |'],
    ['-f -', '-f -', 'yes text | head -c 3000000 |'],
    ['<(…)', '-f <(seq 400000)', ''],
  ])('%s is refused before anything is spent, with the folder and what to do', (_, args, input) => {
    const before = mock.calls.length;
    const { status, stderr } = onFullDisk(args, input);
    expect(stderr).toMatch(/The piped input cannot be kept in .*small.*: ENOSPC.* Make room there/);
    expect(status).toBe(5);
    expect(mock.calls.length).toBe(before);
  });
});

describe('sockets', () => {
  test('on standard input, as other programs connect it', async () => {
    const server = createServer((socket) => socket.end('by a socket\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const script = `exec ${FATHOM_COMMAND} ask Q ${MODEL.join(' ')} --no-store < /dev/tcp/127.0.0.1/${port}`;
    const child = spawn('bash', ['-c', script], {
      cwd: folder,
      env: { ...mock.env, PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let stdout = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('utf8');
    });
    await once(child, 'close');
    server.close();
    expect(stdout).toBe("12 'et\\n' 1\n");
  });

  test.each(['server.sock', 'a b.sock', 'unix:x'])('%s by -f is refused, and says what it is', async (name) => {
    const server = createServer();
    server.listen(join(folder, name));
    await once(server, 'listening');
    const before = mock.calls.length;
    const { code, stderr } = await ask(['-f', name]);
    server.close();
    expect(code).toBe(5);
    expect(stderr).toContain(name);
    expect(stderr).toMatch(/socket|not a regular file/);
    expect(mock.calls.length).toBe(before);
  });
});

describe('odd names', () => {
  test.each(['with blank.txt', '[1].txt', '-leading.txt', '😀.txt', 'new\nline.txt', "quo'te.txt"])(
    '%j is read, and is a file of that name in the REPL',
    async (name) => {
      writeFileSync(join(folder, name), 'odd');
      mock.respondWith(
        () =>
          '```python\nimport os\nFINAL(context + open(os.path.join("context", os.listdir("context")[0])).read())\n```',
      );
      const { code, stdout } = await ask([`--file=${name}`, '--no-store']);
      mock.respondWith(() => LOOK);
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'oddodd\n' });
    },
  );
});

test('a folder of symbolic links in a loop ends, and names what it leaves out', async () => {
  const loops = join(folder, 'loops/inner');
  mkdirSync(loops, { recursive: true });
  writeFileSync(join(loops, 'a.txt'), 'text');
  execFileSync('ln', ['-s', '..', join(loops, 'up')]);
  execFileSync('ln', ['-s', 'self', join(loops, 'self')]);
  execFileSync('ln', ['-s', '/etc', join(loops, 'out')]);
  mock.respondWith(() => '```python\nFINAL(str([d.path for d in context]))\n```');
  const { stdout, stderr } = await ask(['-f', 'loops', '--no-store']);
  expect(stdout).toBe("['loops/inner/a.txt']\n");
  expect(stderr).toMatch(/left out: .*links?/);
});
