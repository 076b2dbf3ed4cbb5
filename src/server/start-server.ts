import { readableFolders } from '../door/paths.ts';
import { createApp } from './app.ts';
import { listen } from './http-listener.ts';
import { ServerMetrics } from './metrics.ts';
import { RunDesk } from './run-desk.ts';
import { type ServerOptions, serverConfig } from './server-options.ts';

/** A server that listens. */
export interface FathomServer extends AsyncDisposable {
  /** Such as `http://127.0.0.1:8000`, without a slash at the end. */
  readonly url: string;
  /**
   * Stops taking requests, pauses its own runs, cancels those of connections, and closes. A server that is started again
   * on the same store continues the paused runs. The `Rlm` and the store stay open.
   */
  close(): Promise<void>;
}

/**
 * Serves an `Rlm` over HTTP, with the API of OpenAI and one of its own. When it resolves, runs that an earlier server left on
 * the store have been resumed.
 *
 * @example
 * ```ts
 * const store = sqliteStore('.fathom');
 * const rlm = createRlm({ model: 'openai/gpt-5', store });
 * const server = await startServer({ rlm, store, port: 8000 });
 * ```
 * @throws RlmError `invalid-option`, `invalid-limit` for options that cannot be right; the system's error when it cannot listen
 */
export async function startServer(options: ServerOptions): Promise<FathomServer> {
  const config = serverConfig(options);
  const metrics = new ServerMetrics(config.rlm);
  const runs = new RunDesk(config, (end) => metrics.runEnded(end));
  const { folders: given, store } = config;
  // The store holds what other clients asked.
  const readable = { folders: given, except: store.location === 'memory' ? [] : [store.location] };
  const folders = given.length === 0 ? undefined : await readableFolders(readable);
  const app = createApp({ config, runs, metrics, folders });
  const listener = await listen(app.fetch, config);
  try {
    await runs.recover();
  } catch (error) {
    await listener.close(() => runs.stop());
    throw error;
  }
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= listener.close(() => runs.stop());
    return closed;
  };
  return { url: listener.url, close, [Symbol.asyncDispose]: close };
}
