/**
 * The checks before the routes of an application, and its answers to requests that fail them.
 *
 * @module
 */
import type { Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { errorResponse } from '../door/error-response.ts';
import { RlmError } from '../errors.ts';
import { checkHost, type HostRules, Keys } from './access.ts';
import { HttpProblem } from './http-problem.ts';
import { pageClient } from './page/page-routes.ts';
import type { PageSessions } from './page/page-sessions.ts';
import type { ServerEnv } from './server-env.ts';

/** Routes that are added later answer to the names and pages of the rules only. */
export function guardHost(app: Hono<ServerEnv>, rules: HostRules): void {
  app.use(async (c, next) => {
    const origin = c.req.header('origin');
    checkHost({ host: c.req.header('host') ?? '', ...(origin !== undefined && { origin }) }, rules);
    c.header('x-content-type-options', 'nosniff');
    // A page of another port of this host would send the cookie with it.
    c.header('cross-origin-resource-policy', 'same-origin');
    await next();
  });
  if (rules.allowedOrigins.length > 0) app.use(cors({ origin: [...rules.allowedOrigins] }));
}

/** Routes that are added later need a key, or the session of a page; they find its name as `client`. */
export function guardKeys(
  app: Hono<ServerEnv>,
  given: Readonly<Record<string, string>>,
  sessions?: PageSessions,
): void {
  const keys = new Keys(given);
  app.use(async (c, next) => {
    const authorization = c.req.header('authorization');
    const opened = authorization === undefined && sessions !== undefined ? pageClient(c, sessions) : undefined;
    c.set('client', opened ?? keys.client(authorization));
    await next();
  });
}

/** The response of a refusal. */
export function problemResponse(c: Context<ServerEnv>, problem: HttpProblem): Response {
  return c.json(problem.body, problem.status as ContentfulStatusCode, { ...problem.headers });
}

/** The response of any error that a route throws. */
export function answerError(error: unknown, c: Context<ServerEnv>, onError: (error: unknown) => void): Response {
  if (error instanceof HttpProblem) return problemResponse(c, error);
  if (error instanceof HTTPException) return problemResponse(c, new HttpProblem('malformed-request', error.message));
  // A client that has gone gets no answer, so its broken request is not reported.
  if (c.env.outgoing.closed) return c.body(null);
  if (!RlmError.isInstance(error)) onError(error);
  const { status, headers, body } = errorResponse(error);
  return c.json(body, status as ContentfulStatusCode, { ...headers });
}
