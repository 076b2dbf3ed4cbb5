import { randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import { RlmError } from '../../errors.ts';
import type { RunRecord, RunStatus, Store } from '../../store/index.ts';
import type { RunDocument } from '../../view/run-document.ts';
import { OWNER } from '../access.ts';
import { BodyReader } from '../body.ts';
import { answerError, guardHost, guardKeys, problemResponse } from '../guards.ts';
import { type HttpListener, listen } from '../http-listener.ts';
import { HttpProblem } from '../http-problem.ts';
import { HTTP_LIMITS } from '../limits.ts';
import { sendEvents } from '../runs/run-events.ts';
import { runView } from '../runs/run-view.ts';
import { eventNumber } from '../runs/runs-routes.ts';
import type { ServerEnv } from '../server-env.ts';
import { disconnectSignal, eventStream } from '../sse.ts';
import { documentLibrary, type PageLibrary, type RunAccess, StoreLibrary } from './library.ts';
import { addPage, addPageSession } from './page-routes.ts';
import { PageSessions } from './page-sessions.ts';
import { addRunParts } from './run-parts.ts';

/** The runs to show: those of a store, with the ways to end one; or the one of a file. */
export type Shown =
  | { readonly store: Store; readonly act: (action: 'cancel' | 'finish', id: string) => Promise<void> }
  | { readonly document: RunDocument };

export interface ViewOptions {
  readonly shown: Shown;
  /** The run that the page begins with: it is read while the browser starts. */
  readonly first?: string;
  /** 0: any free one. */
  readonly port: number;
  readonly onError: (error: unknown) => void;
}

/** A server of the page alone. */
export interface ViewServer extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly url: string;
  /** The secret that opens the page once, in the hash of its address. */
  readonly token: string;
}

const HOST = '127.0.0.1';

/**
 * Shows runs on loopback, without an engine: everything is read from the store. Only the holder of the token can read it;
 * other users of the machine cannot.
 */
export async function startViewServer({ shown, first, port, onError }: ViewOptions): Promise<ViewServer> {
  const token = randomBytes(24).toString('base64url');
  // No client has the key: the token alone opens a session.
  const keys = { [OWNER]: randomBytes(32).toString('base64url') };
  const sessions = new PageSessions({ keys, token });
  const app = new Hono<ServerEnv>();
  guardHost(app, { host: HOST, allowedHosts: [], allowedOrigins: [] });
  addPage(app, { sessions, bodies: new BodyReader(HTTP_LIMITS) });
  guardKeys(app, keys, sessions);
  addPageSession(app);
  const library = 'store' in shown ? addStoredRuns(app, shown, onError) : documentLibrary(shown.document);
  if (!('store' in shown)) addRunParts(app, library);
  app.notFound((c) =>
    problemResponse(c, new HttpProblem('unknown-route', `There is no ${c.req.method} ${c.req.path}.`)),
  );
  app.onError((error, c) => answerError(error, c, onError));
  const listener: HttpListener = await listen(app.fetch, { host: HOST, port, limits: HTTP_LIMITS });
  // A failure is that of the page's own request as well, which shows it.
  if (first !== undefined) void library.pages(first, { name: OWNER }).catch(() => undefined);
  return { url: listener.url, token, [Symbol.asyncDispose]: () => listener.close(async () => undefined) };
}

function addStoredRuns(
  app: Hono<ServerEnv>,
  { store, act }: Extract<Shown, { store: Store }>,
  onError: (error: unknown) => void,
): PageLibrary {
  const access = everyRun(store);
  const library: PageLibrary = new StoreLibrary(store, access);
  addRunParts(app, library);
  app.get('/v1/runs/:id/events', async (c) => {
    const signal = disconnectSignal(c);
    const runId = c.req.param('id');
    await access.record(runId, c.var.client);
    const after = eventNumber(c.req.header('last-event-id') ?? c.req.query('after') ?? '0');
    return eventStream(c, { keepAliveMs: HTTP_LIMITS.keepAliveMs, onError }, (send) =>
      sendEvents(send, { runId, after, store, run: undefined, isStopping: () => false, signal }),
    );
  });
  for (const action of ['cancel', 'finish'] as const) {
    app.post(`/v1/runs/:id/${action}`, async (c) => {
      const id = c.req.param('id');
      await access.record(id, c.var.client);
      await act(action, id);
      return c.json(runView(await access.record(id, c.var.client)));
    });
  }
  return library;
}

/** The owner of the folder may see all that is in it. */
function everyRun(store: Store): RunAccess {
  return {
    async record(id: string): Promise<RunRecord> {
      const record = await store.runs.get(id);
      if (record !== undefined && record.parentRunId === undefined) return record;
      const message = `There is no run ${JSON.stringify(id.slice(0, 64))} in this store.`;
      throw new RlmError({ code: 'run-not-found', message, userAction: true });
    },
    all: (_, status?: RunStatus, most = Number.MAX_SAFE_INTEGER) =>
      store.runs.list({ rootsOnly: true, limit: most, ...(status !== undefined && { status }) }),
  };
}
