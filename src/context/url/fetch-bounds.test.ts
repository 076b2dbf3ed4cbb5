import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { openFetching } from './fetch.testing.ts';

const { at, cache, connections, contentOf, failureOf, load, reset, respondWith, serve } = await openFetching();
beforeEach(reset);

describe('bounds', () => {
  const redirecting = (times: number): void => {
    respondWith(({ url = '' }, response) => {
      const step = Number(url.slice(1));
      if (step === times) response.end('end');
      else response.writeHead(301, { location: `/${step + 1}` }).end();
    });
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
        respondWith((_, response) => {
          for (let count = 0; count < 11; count += 1) response.write('x'.repeat(10));
          response.end();
        });
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
    respondWith((_, response) => {
      if (what !== 'headers') response.write('begin');
    });
    expect(await failureOf(at('/slow'), { timeoutMs: 300 })).toMatchObject({
      code: 'fetch-failed',
      retryable: true,
      message: expect.stringContaining('it took over 300 ms'),
    });
  });

  test('the caller can end it', async () => {
    const stop = new AbortController();
    respondWith(() => stop.abort(new Error('enough')));
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
    expect(connections()).toBe(0);
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
