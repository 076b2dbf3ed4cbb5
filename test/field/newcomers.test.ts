/** Mistakes of a first hour, through the command as a user types it: a typed error that says what to do, and nothing spent. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type FathomOutcome, runFathom } from '../cli/run-fathom.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

interface Answering {
  readonly url: string;
  /** Calls of the model. */
  readonly calls: () => number;
}

/** A server that gives every call of a model this answer. */
async function answering(status: number, body: string, type = 'application/json'): Promise<Answering> {
  let calls = 0;
  const server = createServer((request, response) => {
    const isCall = request.method === 'POST' && request.url?.endsWith('/chat/completions') === true;
    if (isCall) calls++;
    request.resume();
    response.writeHead(isCall ? status : 404, { 'content-type': type }).end(isCall ? body : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls: () => calls };
}

async function ask(model: string, env: Readonly<Record<string, string>> = {}): Promise<FathomOutcome> {
  return await runFathom(['ask', 'Q', '--no-stdin', '--no-store', '-q', '-m', model], { env });
}

const error = (message: string, more: object = {}): string => JSON.stringify({ error: { message, ...more } });

/** A port of loopback on which nothing listens. */
async function freePort(): Promise<number> {
  const { url } = await answering(200, '');
  const server = servers.pop();
  await new Promise((resolve) => server?.close(resolve));
  return Number(new URL(url).port);
}

describe('a server that is not there: two attempts, its address, and what to start', () => {
  test.each([
    ['Ollama', 'ollama/qwen3', 'OLLAMA_HOST', 'ollama serve'],
    ['vLLM', 'vllm/qwen3', 'VLLM_BASE_URL', 'vllm serve MODEL'],
    ['LM Studio', 'lmstudio/qwen3', 'LMSTUDIO_BASE_URL', 'lms server start'],
    ['a URL', '', '', 'nothing listens there'],
  ])('%s', async (_, model, variable, start) => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const { code, stderr } = await ask(
      model === '' ? `${url}/v1#m` : model,
      variable === '' ? {} : { [variable]: url },
    );
    expect(code).toBe(1);
    expect(stderr).toContain(`127.0.0.1:${port}`);
    expect(stderr).toContain(start);
    expect(stderr).toContain('Gave up after 2 attempts');
  });

  test('a name that does not exist is said to be one', async () => {
    const { stderr } = await ask('http://no-such-host.invalid/v1#m');
    expect(stderr).toMatch(/no-such-host\.invalid: its name cannot be resolved/);
    expect(stderr).not.toContain('nothing listens there');
  });

  test.each(['HTTPS_PROXY', 'https_proxy'])('a dead proxy in %s is named, without its password', async (variable) => {
    const proxy = `http://user:secret@127.0.0.1:${await freePort()}`;
    const { stderr } = await ask('openai/gpt-5', { OPENAI_API_KEY: 'sk-x', [variable]: proxy });
    expect(stderr).toContain(`the proxy in ${variable}`);
    expect(stderr).not.toContain('secret');
  });
});

describe('a key, a quota, a model: one call, with the variable and the address', () => {
  test.each([
    [401, error('Invalid token'), 5, 'OPENAI_COMPATIBLE_API_KEY'],
    [403, error('Forbidden'), 5, 'OPENAI_COMPATIBLE_API_KEY'],
    [402, error('This request requires more credits', { code: 402 }), 5, 'add credit'],
    [429, error('You exceeded your current quota', { code: 'insufficient_quota' }), 5, 'add credit'],
    [404, error('The model `m` does not exist', { code: 'model_not_found' }), 5, '/v1'],
    [404, '<html><body>Not found</body></html>', 5, '/v1'],
  ])('HTTP %i %s', async (status, body, code, says) => {
    const server = await answering(status, body);
    const outcome = await ask(`${server.url}/v1#m`);
    expect(outcome).toMatchObject({ code, stdout: '' });
    expect(outcome.stderr).toContain(says);
    expect(server.calls()).toBe(1);
  });
});

describe('a model named as others name it', () => {
  test.each([
    ['gpt-5', 'openai/gpt-5'],
    ['claude/claude-sonnet-4-5', 'anthropic/claude-sonnet-4-5'],
    ['gemini/gemini-2.5-pro', 'google/gemini-2.5-pro'],
    ['opanai/gpt-5', 'openai/gpt-5'],
    ['azure/gpt-5', 'openai.azure.com'],
    ['localhost:11434#qwen3', 'Did you mean http://localhost:11434/v1#qwen3?'],
    ['127.0.0.1:8000/v1', 'Did you mean http://127.0.0.1:8000/v1#MODEL?'],
  ])('%s', async (model, meant) => {
    const { code, stderr } = await ask(model);
    expect(code).toBe(5);
    expect(stderr).toContain(meant);
  });
});

describe('an address at which something else answers: a sentence, and few calls', () => {
  test.each([
    ['a captive portal', '<html><body>Log in to the network</body></html>', 'text/html', 1],
    ['a page with another type', '<!doctype html><title>Router</title>', 'text/plain', 1],
    ['JSON of another API', JSON.stringify({ status: 'ok', version: '1.2' }), 'application/json', 2],
    ['nothing at all', '', 'text/plain', 5],
  ])('%s', async (_, body, type, most) => {
    const server = await answering(200, body, type);
    const { code, stdout, stderr } = await ask(`${server.url}/v1#m`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^fathom: .+ \[[a-z-]+\]\n$/);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(server.calls()).toBeLessThanOrEqual(most);
    if (most === 1) expect(stderr).toContain(`Its API may be at ${server.url}/api/v1.`);
  });
});

describe('a path that is not one: said before anything is sent', () => {
  test.each([
    ['a quoted home folder', ['-f', '~/novel.txt'], 5, 'a ~ in quotes is not the home folder'],
    ['an empty path', ['-f', ''], 5, 'the path is empty'],
    [
      'a URL',
      ['-f', 'https://example.org/x'],
      5,
      'it is a URL, and --fetch is not given: add it, or save the file first',
    ],
    ['a schema in place of its file', ['--schema', '{"type":"object"}'], 2, 'it is JSON, and a path is wanted'],
    ['an answer in a folder that is not there', ['-o', '/no/such/answer.txt'], 2, 'there is no folder /no/such'],
  ])('%s', async (_, args, code, says) => {
    const outcome = await runFathom([
      'ask',
      'Q',
      '--no-stdin',
      '--no-store',
      '-m',
      ' http://127.0.0.1:9/v1#m ',
      ...args,
    ]);
    expect(outcome).toMatchObject({ code, stdout: '' });
    expect(outcome.stderr).toContain(says);
    expect(outcome.stderr).not.toContain('.part');
  });
});

describe('fathom models TEXT', () => {
  test.each([
    [['claude', 'sonnet'], /^anthropic\/claude-\S*sonnet/m],
    [['GEMINI-2.5-PRO'], /^google\/gemini-2\.5-pro +\S+ +1\.25 in, 10 out/m],
    [['deepseek', 'chat'], /^deepseek\/deepseek-chat/m],
  ])('%j', async (text, line) => {
    const { code, stdout } = await runFathom(['models', ...text]);
    expect(code).toBe(0);
    expect(stdout).toMatch(line);
    for (const row of stdout.trimEnd().split('\n').slice(1)) {
      for (const word of text.flatMap((one) => one.toLowerCase().split(' '))) expect(row.toLowerCase()).toContain(word);
    }
  });
});
