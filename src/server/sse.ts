import type { ServerResponse } from 'node:http';
import type { Context } from 'hono';
import { stream } from 'hono/streaming';
import type { ServerEnv } from './server-env.ts';

/** An event of a stream. */
export interface SseEvent {
  readonly data: unknown;
  readonly event?: string;
  readonly id?: string;
}

/** Sends one event; resolves when the client can take more. */
export type SendEvent = (event: SseEvent) => Promise<void>;

/** Aborts when the connection closes before its response has ended. */
export function disconnectSignal(c: Context<ServerEnv>): AbortSignal {
  const outgoing: ServerResponse = c.env.outgoing;
  const controller = new AbortController();
  const gone = (): void => {
    if (!outgoing.writableFinished) controller.abort('the client disconnected');
  };
  if (outgoing.closed) gone();
  else outgoing.once('close', gone);
  return controller.signal;
}

/** A response of server-sent events, with a comment after each silence of `keepAliveMs`. */
export function eventStream(
  c: Context<ServerEnv>,
  { keepAliveMs, onError }: { readonly keepAliveMs: number; readonly onError: (error: unknown) => void },
  write: (send: SendEvent) => Promise<void>,
): Response {
  c.header('content-type', 'text/event-stream; charset=utf-8');
  c.header('cache-control', 'no-cache');
  // Proxies that buffer would hold the stream back.
  c.header('x-accel-buffering', 'no');
  return stream(
    c,
    async (out) => {
      const timer = setInterval(() => void out.write(': keep-alive\n\n'), keepAliveMs);
      try {
        await write(async (event) => {
          timer.refresh();
          await out.write(formatted(event));
        });
      } finally {
        clearInterval(timer);
      }
    },
    (error) => {
      onError(error);
      return Promise.resolve();
    },
  );
}

function formatted({ data, event, id }: SseEvent): string {
  const name = event === undefined ? '' : `event: ${event}\n`;
  const number = id === undefined ? '' : `id: ${id}\n`;
  // JSON has no line breaks of its own.
  return `${number}${name}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}
