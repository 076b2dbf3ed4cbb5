import { type Context, Hono } from 'hono';
import { routePath } from 'hono/route';
import { RlmError } from '../errors.ts';
import { isLoopback, Keys } from './access.ts';
import { BodyReader } from './body.ts';
import { chatCompletions } from './chat/chat-route.ts';
import { answerError, guardHost, guardKeys, problemResponse } from './guards.ts';
import { HttpProblem } from './http-problem.ts';
import { methodsOf, openApiDocument } from './openapi/document.ts';
import { StoreLibrary } from './page/library.ts';
import { addPage, addPageSession } from './page/page-routes.ts';
import { PageSessions } from './page/page-sessions.ts';
import { addRunParts } from './page/run-parts.ts';
import { addResponses } from './responses/responses-routes.ts';
import { addRuns } from './runs/runs-routes.ts';
import type { ServerEnv } from './server-env.ts';
import type { ServerParts } from './server-parts.ts';
import { addSessions } from './sessions/sessions-routes.ts';

/** The application: checks in the order in which they cost least, then routes. */
export function createApp(given: Omit<ServerParts, 'bodies'>): Hono<ServerEnv> {
  const parts: ServerParts = { ...given, bodies: new BodyReader(given.config.limits) };
  const { config, metrics } = parts;
  const app = new Hono<ServerEnv>();
  app.use(async (c, next) => {
    const begin = performance.now();
    await next();
    const matched = routePath(c, -1);
    const route = matched === '*' && (c.res.status === 404 || c.res.status === 405) ? 'unknown' : matched;
    const seconds = (performance.now() - begin) / 1_000;
    metrics.answered({ route, method: c.req.method, status: c.res.status, seconds });
  });
  guardHost(app, config);
  addOpenRoutes(app, parts);
  const sessions = new PageSessions({ keys: config.keys });
  addPage(app, { sessions, bodies: parts.bodies });
  guardKeys(app, config.keys, sessions);
  addPageSession(app);
  addRoutes(app, parts);
  app.notFound((c) => problemResponse(c, unknownRoute(c)));
  app.onError((error, c) => answerError(error, c, config.onError));
  return app;
}

/** Routes without a key. */
function addOpenRoutes(app: Hono<ServerEnv>, { runs, config, metrics }: ServerParts): void {
  app.get('/healthz', (c) => c.json({ status: runs.stopping ? 'stopping' : 'ok' }, runs.stopping ? 503 : 200));
  app.get('/openapi.json', (c) => c.json(openApiDocument()));
  const answerMetrics = async (c: Context<ServerEnv>): Promise<Response> => {
    const { body, contentType } = await metrics.text();
    return c.body(body, 200, { 'content-type': contentType });
  };
  // Elsewhere the route is behind the keys.
  if (isLoopback(config.host)) app.get('/metrics', answerMetrics);
  else app.get('/metrics', (c, next) => requireKey(c, config.keys, next), answerMetrics);
}

async function requireKey(
  c: Context<ServerEnv>,
  keys: Readonly<Record<string, string>>,
  next: () => Promise<void>,
): Promise<void> {
  new Keys(keys).client(c.req.header('authorization'));
  await next();
}

function addRoutes(app: Hono<ServerEnv>, parts: ServerParts): void {
  const { config } = parts;
  const models = Object.keys(config.models).map((id) => ({ id, object: 'model', created: 0, owned_by: 'fathom' }));
  app.get('/v1/models', (c) => c.json({ object: 'list', data: models }));
  // Names of models may have slashes.
  app.get('/v1/models/:id{.+}', (c) => {
    const found = models.find(({ id }) => id === c.req.param('id'));
    if (found === undefined) throw modelNotFound(c.req.param('id'));
    return c.json(found);
  });
  app.post('/v1/chat/completions', (c) => chatCompletions(c, parts));
  addResponses(app, parts);
  addRunParts(app, new StoreLibrary(config.store, parts.runs));
  addRuns(app, parts);
  addSessions(app, parts);
  app.get('/v1/status', (c) => {
    const { maxRepls, maxQueuedRuns, repls, sessions, queued, runs } = config.rlm.status();
    const { maxRunsPerKey } = config.limits;
    const own = { key: c.var.client.name, runs: parts.runs.countOf(c.var.client), max_runs: maxRunsPerKey };
    return c.json({ max_repls: maxRepls, max_queued_runs: maxQueuedRuns, repls, sessions, queued, runs, own });
  });
}

function modelNotFound(name: string): RlmError {
  return new RlmError({
    code: 'model-not-found',
    message: `This server has no model ${JSON.stringify(name.slice(0, 100))}: GET /v1/models lists them.`,
    userAction: true,
  });
}

function unknownRoute(c: Context<ServerEnv>): HttpProblem {
  const methods = methodsOf(c.req.path);
  if (methods.length > 0) {
    const allow = methods.join(', ');
    return new HttpProblem('method-not-allowed', `${c.req.path} does not take ${c.req.method}: use ${allow}.`, {
      allow,
    });
  }
  return new HttpProblem(
    'unknown-route',
    `There is no ${c.req.method} ${c.req.path}: GET /openapi.json lists all routes.`,
  );
}
