import type { Context, Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { readPageFiles } from '../../view/page-files.ts';
import { SERVED_POLICY, servedHtml } from '../../view/page-html.ts';
import type { Client } from '../access.ts';
import type { BodyReader } from '../body.ts';
import { checkBody, optional } from '../check-body.ts';
import { HttpProblem } from '../http-problem.ts';
import type { ServerEnv } from '../server-env.ts';
import type { PageSessions } from './page-sessions.ts';

/** Parts of the page's routes. */
export interface PageParts {
  readonly sessions: PageSessions;
  readonly bodies: BodyReader;
}

const DAY_MS = 86_400_000;

/** Adds the page itself, which holds no data and needs no key, and the opening of its session. */
export function addPage(app: Hono<ServerEnv>, { sessions, bodies }: PageParts): void {
  app.get('/', (c) => {
    c.header('content-security-policy', SERVED_POLICY);
    c.header('referrer-policy', 'no-referrer');
    c.header('cross-origin-opener-policy', 'same-origin');
    return c.html(servedHtml());
  });
  app.get('/page/app.js', (c) => asset(c, 'text/javascript', readPageFiles().script));
  app.get('/page/app.css', (c) => asset(c, 'text/css', readPageFiles().style));
  app.post('/page/session', async (c) => {
    const body = await bodies.json(c.req.raw);
    checkBody('PageSessionRequest', body);
    const [key, token] = [optional<string>(body.key), optional<string>(body.token)];
    const value = sessions.open({ ...(key !== undefined && { key }), ...(token !== undefined && { token }) });
    const secure = new URL(c.req.url).protocol === 'https:';
    const options = { httpOnly: true, sameSite: 'Strict', path: '/', secure, maxAge: (7 * DAY_MS) / 1_000 } as const;
    setCookie(c, cookieName(c), value, options);
    return c.json({ status: 'open' });
  });
}

/** Adds the question whether a request has a session, or needs none. Behind the keys. */
export function addPageSession(app: Hono<ServerEnv>): void {
  app.get('/page/session', (c) => c.json({ status: 'open' }));
}

/**
 * The client of a page's request by its cookie; undefined without one. A request that changes something must say which page
 * it comes from.
 *
 * @throws HttpProblem `forbidden-origin`
 */
export function pageClient(c: Context<ServerEnv>, sessions: PageSessions): Client | undefined {
  const client = sessions.client(getCookie(c, cookieName(c)));
  const changes = c.req.method !== 'GET' && c.req.method !== 'HEAD';
  if (client !== undefined && changes && c.req.header('origin') === undefined) {
    throw new HttpProblem('forbidden-origin', 'A request with a cookie has to name its Origin, as browsers do.');
  }
  return client;
}

/** Servers on several ports of a host share their cookies, so the name has the port. */
function cookieName(c: Context<ServerEnv>): string {
  const [, port = '80'] = /:(\d+)$/.exec(c.req.header('host') ?? '') ?? [];
  return `fathom-page-${port}`;
}

function asset(c: Context<ServerEnv>, type: string, text: string): Response {
  c.header('cache-control', 'no-cache');
  return c.body(text, 200, { 'content-type': `${type}; charset=utf-8` });
}
