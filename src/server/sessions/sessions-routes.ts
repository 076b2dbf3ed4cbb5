import type { Context, Hono } from 'hono';
import { untilBegun } from '../ask.ts';
import type { JsonBody } from '../body.ts';
import { checkBody, optional } from '../check-body.ts';
import type { RequestSchema } from '../openapi/request-schemas.ts';
import { contextOf, questionOf } from '../runs/question.ts';
import { runView } from '../runs/run-view.ts';
import type { ServerEnv } from '../server-env.ts';
import type { ServerParts } from '../server-parts.ts';
import { disconnectSignal } from '../sse.ts';
import { SessionDesk } from './session-desk.ts';
import { sessionView } from './session-view.ts';

type Handler = (c: Context<ServerEnv>, id: string) => Promise<Response>;

/** Adds `/v1/sessions`: REPLs that live across runs. */
export function addSessions(app: Hono<ServerEnv>, parts: ServerParts): void {
  const desk = new SessionDesk(parts.config);
  const checked = async (c: Context<ServerEnv>, schema: RequestSchema): Promise<JsonBody> => {
    const body = await parts.bodies.exactJson(c.req.raw);
    checkBody(schema, body);
    return body;
  };
  const withId =
    (handler: Handler) =>
    (c: Context<ServerEnv>): Promise<Response> =>
      handler(c, c.req.param('id') ?? '');
  app.post('/v1/sessions', async (c) => {
    const body = await checked(c, 'SessionRequest');
    const lifetimeMs = optional<number>(body.lifetime_ms);
    const context = contextOf(body, parts.folders);
    const session = await desk.create({ ...context, ...(lifetimeMs !== undefined && { lifetimeMs }) }, c.var.client);
    return c.json(sessionView(session.status()), 201, { location: `/v1/sessions/${session.id}` });
  });
  app.get('/v1/sessions', async (c) =>
    c.json({ object: 'list', data: (await desk.list(c.var.client)).map(sessionView) }),
  );
  app.get(
    '/v1/sessions/:id',
    withId(async (c, id) => c.json(sessionView(await desk.status(id, c.var.client)))),
  );
  app.delete(
    '/v1/sessions/:id',
    withId(async (c, id) => c.json(sessionView(await desk.end(id, c.var.client)))),
  );
  app.post(
    '/v1/sessions/:id/extend',
    withId(async (c, id) => c.json(sessionView(await desk.extend(id, c.var.client)))),
  );
  app.post(
    '/v1/sessions/:id/runs',
    withId(async (c, id) => {
      const question = questionOf(await checked(c, 'SessionQuestion'), parts.folders);
      const session = await desk.open(id, c.var.client);
      const run = parts.runs.take(c.var.client, false, () => session.completion(desk.owned(question, c.var.client)));
      await untilBegun(run);
      return c.json(runView(await parts.runs.record(run.id, c.var.client)), 202, { location: `/v1/runs/${run.id}` });
    }),
  );
  addCommands(app, { desk, checked, withId });
  addVariables(app, { desk, checked, withId });
  addSnapshots(app, { desk, checked, withId });
}

interface Tools {
  readonly desk: SessionDesk;
  readonly checked: (c: Context<ServerEnv>, schema: RequestSchema) => Promise<JsonBody>;
  readonly withId: (handler: Handler) => (c: Context<ServerEnv>) => Promise<Response>;
}

/** Commands belong to their connection: they are interrupted when it closes. */
function addCommands(app: Hono<ServerEnv>, { desk, checked, withId }: Tools): void {
  app.post(
    '/v1/sessions/:id/execute',
    withId(async (c, id) => {
      const signal = disconnectSignal(c);
      const { code, timeout_ms: timeoutMs } = await checked(c, 'ExecuteRequest');
      const session = await desk.open(id, c.var.client);
      const { ok, stdout, stderr, value, error, durationMs, timedOut } = await session.execute(code as string, {
        ...{ signal, ...(timeoutMs !== undefined && { timeoutMs: timeoutMs as number }) },
      });
      const failure = error === null ? null : { type: error.type, message: error.message };
      return c.json({ ok, stdout, stderr, value, error: failure, duration_ms: durationMs, timed_out: timedOut });
    }),
  );
  app.post(
    '/v1/sessions/:id/bash',
    withId(async (c, id) => {
      const signal = disconnectSignal(c);
      const { command, timeout_ms: timeoutMs } = await checked(c, 'BashRequest');
      const session = await desk.open(id, c.var.client);
      const { ok, exitCode, stdout, stderr, durationMs, timedOut } = await session.bash(command as string, {
        ...{ signal, ...(timeoutMs !== undefined && { timeoutMs: timeoutMs as number }) },
      });
      return c.json({ ok, exit_code: exitCode, stdout, stderr, duration_ms: durationMs, timed_out: timedOut });
    }),
  );
}

function addVariables(app: Hono<ServerEnv>, { desk, checked, withId }: Tools): void {
  app.get(
    '/v1/sessions/:id/variables',
    withId(async (c, id) => {
      const session = await desk.open(id, c.var.client);
      return c.json({ object: 'list', data: await session.variables() });
    }),
  );
  app.get(
    '/v1/sessions/:id/variables/:name',
    withId(async (c, id) => {
      const session = await desk.open(id, c.var.client);
      const name = c.req.param('name') ?? '';
      return c.json({ name, value: await session.getVariable(name) });
    }),
  );
  app.put(
    '/v1/sessions/:id/variables/:name',
    withId(async (c, id) => {
      const { value } = await checked(c, 'VariableRequest');
      const session = await desk.open(id, c.var.client);
      const name = c.req.param('name') ?? '';
      await session.setVariable(name, value as Parameters<typeof session.setVariable>[1]);
      return c.json({ name, value });
    }),
  );
}

function addSnapshots(app: Hono<ServerEnv>, { desk, checked, withId }: Tools): void {
  app.get(
    '/v1/sessions/:id/snapshots',
    withId(async (c, id) => {
      const session = await desk.open(id, c.var.client);
      return c.json({ object: 'list', data: await session.snapshots() });
    }),
  );
  app.post(
    '/v1/sessions/:id/snapshots',
    withId(async (c, id) => {
      const { name } = await checked(c, 'SnapshotRequest');
      const session = await desk.open(id, c.var.client);
      return c.json(await session.snapshot(name as string), 201);
    }),
  );
  app.post(
    '/v1/sessions/:id/rollback',
    withId(async (c, id) => {
      const { name } = await checked(c, 'SnapshotRequest');
      const session = await desk.open(id, c.var.client);
      await session.rollback(name as string);
      return c.json(sessionView(session.status()));
    }),
  );
  app.delete(
    '/v1/sessions/:id/snapshots/:name',
    withId(async (c, id) => {
      const session = await desk.open(id, c.var.client);
      await session.deleteSnapshot(c.req.param('name') ?? '');
      return c.json(sessionView(session.status()));
    }),
  );
}
