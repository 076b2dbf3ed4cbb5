import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RlmError } from '../errors.ts';
import { type UrlOptions, urlSource } from './from-url.ts';
import { loadContext } from './load.ts';
import { type Access, PUBLIC_INTERNET } from './url/checked-address.ts';
import { whyNotPublic } from './url/public-address.ts';

let server: Server;
let port = 0;
let connections = 0;
let asked: IncomingMessage[] = [];
let respond: RequestListener = (_, response) => response.end('hello');
let cache = '';
const before = process.env.FATHOM_CACHE_DIR;

beforeAll(async () => {
  cache = mkdtempSync(join(tmpdir(), 'fathom-urls-'));
  process.env.FATHOM_CACHE_DIR = join(cache, 'cache');
  server = createServer((request, response) => {
    asked.push(request);
    respond(request, response);
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
beforeEach(() => {
  connections = 0;
  asked = [];
  respond = (_, response) => response.end('hello');
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  if (before === undefined) delete process.env.FATHOM_CACHE_DIR;
  else process.env.FATHOM_CACHE_DIR = before;
  rmSync(cache, { recursive: true, force: true });
});

/** Names, and the one address of this machine that counts as public. */
const names: Record<string, readonly string[]> = {
  'public.test': ['127.0.0.1'],
  'other.test': ['127.0.0.1'],
  'private.test': ['10.0.0.7'],
  'metadata.test': ['169.254.169.254'],
  'mapped.test': ['::ffff:127.0.0.1'],
  'mixed.test': ['127.0.0.1', '192.168.0.1'],
  'empty.test': [],
};
const access: Access = {
  resolve: async (name) => names[name] ?? Promise.reject(Object.assign(new Error(`no ${name}`), { code: 'ENOTFOUND' })),
  whyRefused: (address) => (address === '127.0.0.1' ? undefined : whyNotPublic(address)),
};

const at = (path: string, host = 'public.test'): string => `http://${host}:${port}${path}`;
const serve = (body: string | Buffer, headers: Readonly<Record<string, string>> = {}, status = 200): void => {
  respond = (_, response) => response.writeHead(status, headers).end(body);
};

async function load(url: string, options: UrlOptions = {}, how: Access = access) {
  const set = await loadContext(urlSource(url, options, { access: how }));
  if (set.kind !== 'one') throw new Error('expected one context');
  return set.context;
}

async function contentOf(url: string, options: UrlOptions = {}): Promise<string> {
  const { value } = await load(url, options);
  const file = value.kind === 'document' ? (value.text ?? value.file) : value;
  if (file.kind !== 'file') throw new Error(`${url} is a ${value.kind}`);
  return readFileSync(file.path, 'utf8');
}

async function failureOf(url: string, options: UrlOptions = {}, how: Access = access): Promise<RlmError> {
  return await load(url, options, how).then(
    () => Promise.reject(new Error(`${url} was fetched`)),
    (error: RlmError) => error,
  );
}

describe('a URL is a context', () => {
  test('as the file there, under its host and path', async () => {
    serve('a,b\n1,2\n', { 'content-type': 'text/csv; charset=utf-8' });
    const { value, description, shape, size } = await load(at('/data/report.csv?token=secret'));
    expect(value.kind).toBe('document');
    expect(description).toBe(`text of \`public.test:${port}/data/report.csv\` (CSV, 8 bytes, UTF-8)`);
    expect({ shape, size }).toEqual({ shape: expect.stringContaining('.rows'), size: 8 });
    expect(asked.map(({ url }) => url)).toEqual(['/data/report.csv?token=secret']);
  });

  test.each([
    ['text/csv', '/export.php', '/export.php.csv'],
    ['application/json; charset=utf-8', '/api', '/api.json'],
    ['application/ld+json', '/graph', '/graph.json'],
    ['text/markdown', '/README.md', '/README.md'],
    ['text/plain', '/', '/index'],
    ['text/plain', '/a%20b.txt', '/a b.txt'],
    ['text/plain', '/%ff', '/%ff'],
  ])('%s of %s is named %s', async (type, path, name) => {
    serve('[1]', { 'content-type': type });
    expect((await load(at(path))).description).toContain(`public.test:${port}${name}\``);
  });

  test('a page is converted, whatever its path', async () => {
    serve('<!doctype html><title>T</title><p>Hello <b>there</b></p><script>x()</script>', {
      'content-type': 'text/html',
    });
    const { value, shape } = await load(at('/page?id=3'));
    expect(value).toMatchObject({ kind: 'document', facts: { kind: 'html', title: 'T' } });
    expect(shape).toContain('`.title` "T"');
    expect(await contentOf(at('/page?id=3'))).toContain('Hello there');
  });

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ])('a body in %s is opened', async (coding, pack) => {
    serve(pack('packed text'), { 'content-encoding': coding });
    expect(await contentOf(at('/x'))).toBe('packed text');
    expect(asked[0]?.headers['accept-encoding']).toBe('identity');
  });

  test.each([
    ['text/plain; charset=iso-8859-1', Buffer.from('Jos\xe9', 'latin1'), 'José'],
    ['text/plain; charset="Shift_JIS"', Buffer.from([0x93, 0xfa, 0x96, 0x7b]), '日本'],
    ['text/plain; charset=iso-8859-1', Buffer.from('José'), 'José'],
    ['text/plain; charset=klingon', Buffer.from('José'), 'José'],
  ])('%s: the text is right', async (type, body, text) => {
    serve(body, { 'content-type': type });
    expect(await contentOf(at('/t'))).toBe(text);
  });

  test('is fetched once by one source, and again after a failure', async () => {
    const source = urlSource(at('/once'), {}, { access });
    serve('x', {}, 503);
    await expect(loadContext(source)).rejects.toThrow('status 503');
    serve('now');
    await loadContext(source);
    await loadContext(source);
    expect(asked).toHaveLength(2);
  });

  test('sends no cookie, password or header but its own', async () => {
    respond = (request, response) =>
      request.url === '/a'
        ? response.writeHead(302, { location: at('/b', 'other.test'), 'set-cookie': 'a=1' }).end()
        : response.end('b');
    await load(at('/a'));
    const sent = asked.map(({ headers }) => Object.keys(headers).toSorted());
    expect(sent).toEqual(asked.map(() => ['accept', 'accept-encoding', 'connection', 'host', 'user-agent']));
  });
});

describe('an address inside is refused before a connection', () => {
  const literals = [
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
  ];
  test.each([...literals, 'localhost'])('http://%s', async (host) => {
    expect(await failureOf(at('/', host), {}, PUBLIC_INTERNET)).toMatchObject({
      code: 'fetch-refused',
      userAction: true,
      message: expect.stringMatching(/it leads to (a loopback|an IPv4-mapped) address/),
    });
    expect(connections).toBe(0);
  });

  test('the control: the same server, where its address is allowed', async () => {
    await load(at('/', '127.0.0.1'));
    expect(connections).toBe(1);
  });

  test.each([
    ['private.test', 'a private address (10.0.0.7)'],
    ['metadata.test', 'a link-local address (169.254.169.254)'],
    ['mapped.test', 'an IPv4-mapped address (::ffff:127.0.0.1)'],
    ['mixed.test', 'a private address (192.168.0.1)'],
  ])('a name that leads there: %s', async (host, words) => {
    const { code, message, data } = await failureOf(at('/', host));
    expect({ code, message }).toEqual({ code: 'fetch-refused', message: expect.stringContaining(words) });
    expect(data.address).toBeTypeOf('string');
    expect(connections).toBe(0);
  });

  test('the address that is checked is the one that is connected to', async () => {
    let asks = 0;
    const changing: Access = { ...access, resolve: async () => (asks++ === 0 ? ['127.0.0.1'] : ['10.0.0.7']) };
    await load(at('/'), {}, changing);
    expect({ asks, connections }).toEqual({ asks: 1, connections: 1 });
    expect(await failureOf(at('/'), {}, changing)).toMatchObject({ code: 'fetch-refused' });
    expect(connections).toBe(1);
  });

  test.each([
    ['an address', () => 'http://127.0.0.2:1/'],
    ['a name', () => at('/', 'private.test')],
    ['a file', () => 'file:///etc/passwd'],
    ['another scheme', () => 'gopher://public.test/'],
    ['a password', () => at('/').replace('//', '//user:pass@')],
    ['an address without a scheme', () => '//169.254.169.254/latest/meta-data'],
  ])('a redirect to %s', async (_, location) => {
    respond = (__, response) => response.writeHead(302, { location: location() }).end();
    const { code, message } = await failureOf(at('/start'));
    expect(code).toBe('fetch-refused');
    expect(message).not.toContain('pass@');
    expect(asked).toHaveLength(1);
  });
});

describe('bounds', () => {
  const redirecting = (times: number): void => {
    respond = ({ url = '' }, response) => {
      const step = Number(url.slice(1));
      if (step === times) response.end('end');
      else response.writeHead(301, { location: `/${step + 1}` }).end();
    };
  };
  test('five redirects are followed, six are not', async () => {
    redirecting(5);
    expect(await contentOf(at('/0'))).toBe('end');
    redirecting(6);
    expect(await failureOf(at('/0'))).toMatchObject({
      code: 'fetch-refused',
      message: expect.stringContaining('more than 5 redirects'),
    });
  });

  test.each<[string, () => void]>([
    ['announced', () => serve('x'.repeat(101))],
    [
      'in pieces without a length',
      () => {
        respond = (_, response) => {
          for (let count = 0; count < 11; count += 1) response.write('x'.repeat(10));
          response.end();
        };
      },
    ],
    ['behind gzip', () => serve(gzipSync('x'.repeat(100_000)), { 'content-encoding': 'gzip' })],
  ])('more than fetchBytes is an error: %s', async (_, prepare) => {
    prepare();
    expect(await failureOf(at('/big'), { fetchBytes: 100 })).toMatchObject({
      code: 'fetch-failed',
      retryable: false,
      message: expect.stringContaining('more than 100 bytes (fetchBytes)'),
    });
  });

  test('as many bytes as fetchBytes are taken', async () => {
    serve('x'.repeat(100));
    expect(await contentOf(at('/fits'), { fetchBytes: 100 })).toBe('x'.repeat(100));
  });

  test.each(['headers', 'the rest of the body'])('a server that does not send %s ends with the time', async (what) => {
    respond = (_, response) => {
      if (what !== 'headers') response.write('begin');
    };
    expect(await failureOf(at('/slow'), { timeoutMs: 300 })).toMatchObject({
      code: 'fetch-failed',
      retryable: true,
      message: expect.stringContaining('it took over 300 ms'),
    });
  });

  test('the caller can end it', async () => {
    const stop = new AbortController();
    respond = () => stop.abort(new Error('enough'));
    await expect(load(at('/slow'), { signal: stop.signal })).rejects.toThrow('enough');
  });

  test.each([
    [404, false],
    [401, false],
    [429, true],
    [503, true],
    [304, false],
  ])('status %i is an error, retryable: %s', async (status, retryable) => {
    serve('', {}, status);
    expect(await failureOf(at('/s'))).toMatchObject({ code: 'fetch-failed', retryable, data: { status } });
  });

  test.each([
    ['no such name', () => at('/', 'nowhere.test'), 'fetch-failed'],
    ['a name without addresses', () => at('/', 'empty.test'), 'fetch-failed'],
    ['nothing listens', () => 'http://public.test:1/', 'fetch-failed'],
    ['a damaged body', () => at('/damaged'), 'fetch-failed'],
    ['not a URL', () => 'http://', 'fetch-refused'],
    ['another scheme', () => 'ftp://public.test/x', 'fetch-refused'],
    ['a data URL', () => 'data:text/plain,x', 'fetch-refused'],
    ['a user name', () => at('/').replace('//', '//me@'), 'fetch-refused'],
  ])('%s', async (_, url, code) => {
    serve('not gzip', { 'content-encoding': 'gzip' });
    expect(await failureOf(url())).toMatchObject({ code });
  });

  test.each([
    ['fetchBytes', { fetchBytes: 0 }],
    ['timeoutMs', { timeoutMs: 1.5 }],
    ['encoding', { encoding: 'klingon' }],
  ])('an option that cannot be right is refused before anything is sent: %s', async (name, options) => {
    const { code, message } = await failureOf(at('/'), options);
    expect({ code, message }).toEqual({ code: 'context-invalid', message: expect.stringContaining(name) });
    expect(connections).toBe(0);
  });

  test('a file that cannot be used is named by its URL', async () => {
    serve(Buffer.from('OggS\0\x02\0\0\0\0\0\0'), { 'content-type': 'audio/ogg' });
    const { code, message } = await failureOf(at('/a.ogg'));
    expect({ code, message }).toEqual({
      code: 'context-invalid',
      message: expect.stringContaining(`${at('/a.ogg')} cannot be used`),
    });
    expect(message).not.toContain(cache);
  });
});
