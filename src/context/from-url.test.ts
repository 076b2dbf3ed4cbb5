import { brotliCompressSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { urlSource } from './from-url.ts';
import { loadContext } from './load.ts';
import { type Access, PUBLIC_INTERNET } from './url/checked-address.ts';
import { access, openFetching } from './url/fetch.testing.ts';

const { at, asked, connections, contentOf, failureOf, load, port, reset, respondWith, serve } = await openFetching();
beforeEach(reset);

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
    respondWith((request, response) =>
      request.url === '/a'
        ? response.writeHead(302, { location: at('/b', 'other.test'), 'set-cookie': 'a=1' }).end()
        : response.end('b'),
    );
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
    expect(connections()).toBe(0);
  });

  test('the control: the same server, where its address is allowed', async () => {
    await load(at('/', '127.0.0.1'));
    expect(connections()).toBe(1);
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
    expect(connections()).toBe(0);
  });

  test('the address that is checked is the one that is connected to', async () => {
    let asks = 0;
    const changing: Access = { ...access, resolve: async () => (asks++ === 0 ? ['127.0.0.1'] : ['10.0.0.7']) };
    await load(at('/'), {}, changing);
    expect({ asks, connections: connections() }).toEqual({ asks: 1, connections: 1 });
    expect(await failureOf(at('/'), {}, changing)).toMatchObject({ code: 'fetch-refused' });
    expect(connections()).toBe(1);
  });

  test.each([
    ['an address', () => 'http://127.0.0.2:1/'],
    ['a name', () => at('/', 'private.test')],
    ['a file', () => 'file:///etc/passwd'],
    ['another scheme', () => 'gopher://public.test/'],
    ['a password', () => at('/').replace('//', '//user:pass@')],
    ['an address without a scheme', () => '//169.254.169.254/latest/meta-data'],
  ])('a redirect to %s', async (_, location) => {
    respondWith((__, response) => response.writeHead(302, { location: location() }).end());
    const { code, message } = await failureOf(at('/start'));
    expect(code).toBe('fetch-refused');
    expect(message).not.toContain('pass@');
    expect(asked).toHaveLength(1);
  });
});
