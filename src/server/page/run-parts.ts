import type { Context, Hono } from 'hono';
import { RlmError } from '../../errors.ts';
import type { RunStatus } from '../../store/index.ts';
import { createTimeSlices } from '../../time-slices.ts';
import type { RunPages } from '../../view/pages/index.ts';
import type { ServerEnv } from '../server-env.ts';
import { invalidField } from '../wire-messages.ts';
import type { PageLibrary } from './library.ts';

/** Every status of a run. */
export const STATUSES: ReadonlySet<string> = new Set([
  ...['queued', 'running', 'interrupted', 'paused', 'completed', 'failed', 'aborted'],
]);

/** Adds the parts in which a page reads runs: bounded pieces, so that a run of any size opens at once. */
export function addRunParts(app: Hono<ServerEnv>, library: PageLibrary): void {
  app.get('/v1/run-briefs', async (c) => {
    const before = c.req.query('before');
    const status = statusOf(c.req.query('status'));
    const query = { text: c.req.query('text') ?? '', ...(before !== undefined && { before }) };
    return c.json(await library.list(c.var.client, { ...query, ...(status !== undefined && { status }) }));
  });
  const part = (
    name: string,
    answer: (pages: RunPages, c: Context<ServerEnv>) => Promise<Response> | Response,
  ): void => {
    app.get(`/v1/runs/:id/${name}`, async (c) =>
      answer(await library.pages(c.req.param('id') ?? '', c.var.client), c as Context<ServerEnv>),
    );
  };
  part('overview', (pages, c) => c.json(pages.overview()));
  part('tree', (pages, c) => c.json(pages.runs(fromOf(c))));
  part('calls', (pages, c) => c.json(pages.calls(fromOf(c))));
  part('turns', (pages, c) => c.json(found(pages.turns(c.req.query('of') ?? '', fromOf(c)), 'of')));
  part('text', (pages, c) => c.text(found(pages.text(c.req.query('ref') ?? ''), 'ref')));
  part('search', async (pages, c) => c.json(await pages.search(c.req.query('q') ?? '', createTimeSlices())));
}

/** The status of a query. @throws RlmError `invalid-option` */
export function statusOf(given: string | undefined): RunStatus | undefined {
  if (given === undefined) return undefined;
  if (STATUSES.has(given)) return given as RunStatus;
  throw invalidField('status', `it has to be one of ${[...STATUSES].join(', ')}`);
}

function fromOf(c: Context<ServerEnv>): number {
  const text = c.req.query('from') ?? '0';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw invalidField('from', 'it has to be the place of an item, from 0');
}

function found<T>(value: T | undefined, field: string): T {
  if (value !== undefined) return value;
  const message = `The run has no such part: the query parameter ${field} has to be a handle that it gave.`;
  throw new RlmError({ code: 'run-not-found', message, userAction: true });
}
