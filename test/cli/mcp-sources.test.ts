/** `-f mcp:SERVER:URI`: resources of the servers that the user's config file names, and of no others. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { ask, cell, folder, mock, playing } from './ask-harness.ts';

// Each starts a command and a server beside it.
vi.setConfig({ testTimeout: 90_000 });

const SERVER = fileURLToPath(new URL('./mcp-notes.ts', import.meta.url));
const NODE = { command: process.execPath, args: ['--no-warnings', SERVER] };
let config = '';
const configure = (mcpServers: unknown): void => {
  mkdirSync(join(config, 'fathom'), { recursive: true });
  writeFileSync(join(config, 'fathom', 'config.json'), JSON.stringify({ mcpServers }));
};
beforeAll(() => {
  config = join(folder, 'config');
  configure({ notes: { ...NODE, env: ['NOTES_TOKEN'] } });
});
const asked = (sources: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  ask(['Q', '-m', 'openai/gpt-5-mini', '-f', ...sources], {
    env: { XDG_CONFIG_HOME: config, NOTES_TOKEN: 't0', OTHER_SECRET: 's', ...env },
  });

describe('resources of a server of the config file', () => {
  test('one is its text; the program gets the variables that are named, and no others', async () => {
    playing(cell('FINAL(context)'));
    const { code, stdout, stderr } = await asked(['mcp:notes:notes://b.md']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'token t0, other unset\n' });
    expect(stderr).toContain('text of `b.md` (Markdown');
  });

  test('all are documents, beside files as well', async () => {
    playing(cell('FINAL([(d.path, d.text) for d in context])'));
    expect((await asked(['mcp:notes'])).stdout).toContain('[["a.md", "alpha"], ["b.md", "token t0');
    playing(cell('FINAL(sorted(d.path for d in context))'));
    expect((await asked(['mcp:notes:notes://a.md', 'docs/a.txt'])).stdout).toBe('["a.md", "docs/a.txt"]\n');
  });
});

describe('is refused before anything is sent', () => {
  test.each<[string, string, unknown, string]>([
    ['a server that the file does not name', 'mcp:other:x://y', undefined, 'No server "other" for mcp:other:x://y'],
    ['a resource that the server does not have', 'mcp:notes:notes://z', undefined, 'notes://z'],
    ['a program that is not there', 'mcp:none', { none: { command: '/no/such/program' } }, 'could not be reached'],
    [
      'a server without its variable',
      'mcp:v',
      { v: { ...NODE, env: ['NOT_SET'] } },
      'the environment variable NOT_SET',
    ],
    ['a wrong entry', 'mcp:w', { w: { command: 'x', url: 'http://x' } }, '"mcpServers" has to be an object of servers'],
    ['a value in place of a name', 'mcp:w', { w: { command: 'x', env: { A: 'secret' } } }, '"mcpServers" has to be'],
  ])('%s', async (_, source, servers, says) => {
    if (servers !== undefined) configure(servers);
    const before = mock.calls.length;
    const { code, stderr } = await asked([source]);
    expect(stderr).toContain(says);
    expect([2, 5]).toContain(code);
    expect(mock.calls.length).toBe(before);
    configure({ notes: { ...NODE, env: ['NOTES_TOKEN'] } });
  });

  test('a config file of the working directory names no server', async () => {
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ mcpServers: { here: NODE } }));
    expect((await asked(['mcp:here'])).stderr).toContain('No server "here"');
  });
});

test('a server at a URL gets the token of the variable', async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(401).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  configure({ far: { url: `http://127.0.0.1:${port}/mcp`, tokenFrom: 'NOTES_TOKEN' } });
  const { code, stderr } = await asked(['mcp:far']);
  expect(code).toBe(5);
  expect(stderr).toContain('MCP server far could not be reached');
  expect(seen[0]).toBe('Bearer t0');
  server.close();
});
