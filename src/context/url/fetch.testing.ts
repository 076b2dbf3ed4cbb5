/** A server on this machine, and names that lead to it as if it were of the public internet. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, vi } from 'vitest';
import type { RlmError } from '../../errors.ts';
import { type UrlOptions, urlSource } from '../from-url.ts';
import type { LoadedContext } from '../input.ts';
import { loadContext } from '../load.ts';
import type { Access } from './checked-address.ts';
import { whyNotPublic } from './public-address.ts';

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

export const access: Access = {
  resolve: async (name) => names[name] ?? Promise.reject(Object.assign(new Error(`no ${name}`), { code: 'ENOTFOUND' })),
  whyRefused: (address) => (address === '127.0.0.1' ? undefined : whyNotPublic(address)),
};

/** The server, for the tests of one file. */
export interface Fetching {
  /** Requests that arrived. */
  readonly asked: IncomingMessage[];
  readonly port: number;
  /** The folder of copies. */
  readonly cache: string;
  readonly connections: () => number;
  readonly reset: () => void;
  readonly respondWith: (listener: RequestListener) => void;
  readonly serve: (body: string | Buffer, headers?: Readonly<Record<string, string>>, status?: number) => void;
  readonly at: (path: string, host?: string) => string;
  readonly load: (url: string, options?: UrlOptions, how?: Access) => Promise<LoadedContext>;
  readonly contentOf: (url: string, options?: UrlOptions) => Promise<string>;
  readonly failureOf: (url: string, options?: UrlOptions, how?: Access) => Promise<RlmError>;
}

/** Starts the server; it ends with the tests of the file. Copies go into a cache of their own. */
export async function openFetching(): Promise<Fetching> {
  const asked: IncomingMessage[] = [];
  let connections = 0;
  const hello: RequestListener = (_, response) => response.end('hello');
  let respond = hello;
  const cache = mkdtempSync(join(tmpdir(), 'fathom-urls-'));
  vi.stubEnv('FATHOM_CACHE_DIR', join(cache, 'cache'));
  const server = createServer((request, response) => {
    asked.push(request);
    respond(request, response);
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    vi.unstubAllEnvs();
    rmSync(cache, { recursive: true, force: true });
  });

  async function load(url: string, options: UrlOptions = {}, how: Access = access): Promise<LoadedContext> {
    const set = await loadContext(urlSource(url, options, { access: how }));
    if (set.kind !== 'one') throw new Error('expected one context');
    return set.context;
  }
  return {
    ...{ asked, port, cache, load },
    connections: () => connections,
    reset: () => {
      connections = 0;
      asked.length = 0;
      respond = hello;
    },
    respondWith: (listener: RequestListener) => {
      respond = listener;
    },
    serve: (body: string | Buffer, headers: Readonly<Record<string, string>> = {}, status = 200) => {
      respond = (_, response) => response.writeHead(status, headers).end(body);
    },
    at: (path: string, host = 'public.test') => `http://${host}:${port}${path}`,
    contentOf: async (url: string, options: UrlOptions = {}): Promise<string> => {
      const { value } = await load(url, options);
      const file = value.kind === 'document' ? (value.text ?? value.file) : value;
      if (file.kind !== 'file') throw new Error(`${url} is a ${value.kind}`);
      return readFileSync(file.path, 'utf8');
    },
    failureOf: async (url: string, options: UrlOptions = {}, how: Access = access): Promise<RlmError> =>
      await load(url, options, how).then(
        () => Promise.reject(new Error(`${url} was fetched`)),
        (error: RlmError) => error,
      ),
  };
}
