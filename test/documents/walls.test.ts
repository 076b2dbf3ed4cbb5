/** The walls of the process that converts documents: a converter that was taken over gets nowhere. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startConverter, workingForm } from '../../src/convert/converter-walls.ts';

const SCRIPT = fileURLToPath(new URL('break-out.mjs', import.meta.url));
let folder = '';
let server: Server;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-walls-'));
  writeFileSync(join(folder, 'input'), 'input');
  writeFileSync(join(folder, 'secret'), 'secret');
  server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

function args(): readonly string[] {
  return [String((server.address() as AddressInfo).port), join(folder, 'secret'), folder, String(process.pid)];
}

async function outcome(child: ChildProcess): Promise<readonly string[]> {
  let printed = '';
  child.stdout?.on('data', (piece: Buffer) => {
    printed += piece.toString();
  });
  let reason = '';
  child.stderr?.on('data', (piece: Buffer) => {
    reason += piece.toString();
  });
  await once(child, 'close');
  if (printed === '') throw new Error(reason);
  return JSON.parse(printed) as readonly string[];
}

const input = (flags = 'r'): number => openSync(join(folder, 'input'), flags);
const walls = (namespaces: boolean): ChildProcess =>
  startConverter({ code: { script: SCRIPT, readable: [dirname(SCRIPT)] }, args: args(), fd: input(), namespaces });

describe('a converter that was taken over', () => {
  test('control: without the walls every attempt succeeds', async () => {
    const child = spawn(process.execPath, [SCRIPT, ...args()], {
      env: { FATHOM_SECRET: 'x' },
      stdio: ['ignore', 'pipe', 'pipe', input('r+')],
    });
    expect(await outcome(child)).toHaveLength(11);
  });

  test('with the permission model it reads its input; the network and processes are a matter of namespaces', async () => {
    const done = await outcome(walls(false));
    expect(done).toEqual(['reads its input', 'connects to the host']);
  });

  test.skipIf(workingForm() === undefined)(
    'in namespaces it reads its input, and nothing else (needs bubblewrap)',
    async () => {
      expect(await outcome(walls(true))).toEqual(['reads its input']);
    },
  );
});
