import { PassThrough } from 'node:stream';
import { Client } from '@modelcontextprotocol/client';
import { createRlm, type Rlm, type RlmOptions } from '../../src/index.ts';
import { type McpOptions, type StdioServer, serveMcpOverStdio } from '../../src/mcp/index.ts';
import { memoryStore, type Store } from '../../src/store/index.ts';

/** A server and its client in this process, over two streams of bytes. */
export interface Pair extends AsyncDisposable {
  readonly client: Client;
  readonly server: StdioServer;
  /** The bytes of the client, to send what no client sends. */
  readonly raw: PassThrough;
  readonly errors: unknown[];
}

export interface PairOptions extends Omit<Partial<McpOptions>, 'rlm' | 'store'> {
  readonly rlm: Omit<RlmOptions, 'store'>;
  readonly store?: Store;
  /** In place of the `Rlm` that the options make. */
  readonly wrap?: (rlm: Rlm) => Rlm;
}

/** Starts a server over streams and connects the official client to it. */
export async function connectPair(
  { rlm: options, store = memoryStore(), wrap, ...more }: PairOptions,
  client?: Client,
): Promise<Pair> {
  const made = createRlm({ repl: 'python', ...options, store });
  const pair = await connectTo({ rlm: wrap === undefined ? made : wrap(made), store, ...more }, client);
  return {
    ...pair,
    [Symbol.asyncDispose]: async () => {
      await pair[Symbol.asyncDispose]();
      await made.close();
    },
  };
}

/** The same for an `Rlm` that the caller closes. */
export async function connectTo(
  options: McpOptions,
  client: Client = new Client({ name: 'test', version: '1' }),
): Promise<Pair> {
  const [up, down] = [new PassThrough(), new PassThrough()];
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const server = await serveMcpOverStdio({ onError, ...options }, { input: up, output: down });
  await connectClient(client, up, down);
  return {
    ...{ client, server, raw: up, errors },
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await server.close();
    },
  };
}

/** The official client over streams, as its transport over pipes frames messages: one a line. */
async function connectClient(client: Client, up: PassThrough, down: PassThrough): Promise<void> {
  let rest = '';
  const transport = {
    onmessage: undefined as ((message: never) => void) | undefined,
    onclose: undefined as (() => void) | undefined,
    start: async () => {
      down.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const message = JSON.parse(line) as { id?: unknown };
          if (message.id !== null) transport.onmessage?.(message as never);
        }
      });
    },
    send: async (message: unknown) => void up.write(`${JSON.stringify(message)}\n`),
    close: async () => {
      up.end();
      transport.onclose?.();
    },
  };
  await client.connect(transport as never);
}

export interface Called {
  readonly isError?: boolean;
  readonly text: string;
  readonly data: Record<string, unknown>;
  readonly error: { readonly code: number; readonly message: string; readonly data: Record<string, unknown> };
}

type CallOptions = Parameters<Client['callTool']>[1];

/** Calls a tool; text, structured content and error in one. */
export async function call(
  client: Client,
  name: string,
  given: Readonly<Record<string, unknown>> = {},
  options?: CallOptions,
): Promise<Called> {
  const result = await client.callTool({ name, arguments: { ...given } }, options);
  const [first] = result.content as readonly { readonly text: string }[];
  return {
    ...(result.isError === true && { isError: true }),
    text: first?.text ?? '',
    data: (result.structuredContent ?? {}) as Called['data'],
    error: result._meta?.['fathom-rlm/error'] as Called['error'],
  };
}
