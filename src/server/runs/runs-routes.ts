import type { Hono } from 'hono';
import { servedModel, untilBegun } from '../ask.ts';
import { checkBody, optional } from '../check-body.ts';
import { statusOf } from '../page/run-parts.ts';
import type { ServerEnv } from '../server-env.ts';
import type { ServerParts } from '../server-parts.ts';
import { disconnectSignal, eventStream } from '../sse.ts';
import { invalidField } from '../wire-messages.ts';
import { questionOf } from './question.ts';
import { sendEvents } from './run-events.ts';
import { runView } from './run-view.ts';

/** Adds `/v1/runs`: runs that belong to the server. */
export function addRuns(app: Hono<ServerEnv>, { config, runs, bodies, folders }: ServerParts): void {
  app.post('/v1/runs', async (c) => {
    const body = await bodies.exactJson(c.req.raw);
    checkBody('RunRequest', body);
    const [first = ''] = Object.keys(config.models);
    const model = servedModel(optional(body.model) ?? first, config.models);
    const run = runs.start({ ...model, ...questionOf(body, folders) }, c.var.client, true);
    c.header('x-fathom-run-id', run.id);
    await untilBegun(run);
    return c.json(runView(await runs.record(run.id, c.var.client)), 202, { location: `/v1/runs/${run.id}` });
  });
  app.get('/v1/runs', async (c) => {
    const listed = await runs.list(c.var.client, statusOf(c.req.query('status')));
    return c.json({ object: 'list', data: listed.map(runView) });
  });
  app.get('/v1/runs/:id', async (c) => c.json(runView(await runs.record(c.req.param('id'), c.var.client))));
  app.get('/v1/runs/:id/events', async (c) => {
    const signal = disconnectSignal(c);
    const runId = c.req.param('id');
    await runs.record(runId, c.var.client);
    const after = eventNumber(c.req.header('last-event-id') ?? c.req.query('after') ?? '0');
    // A number is sent once its event is stored. A client that waited behind a later one would miss what comes before.
    if (after > 0 && after > (await config.store.events.tail(runId)).lastSeq) {
      throw invalidField('Last-Event-ID', 'the run has no event of that number');
    }
    const run = runs.active(runId, c.var.client);
    return eventStream(c, { ...config.limits, onError: config.onError }, (send) =>
      sendEvents(send, { runId, after, store: config.store, run, isStopping: () => runs.stopping, signal }),
    );
  });
  for (const action of ['cancel', 'finish', 'resume'] as const) {
    app.post(`/v1/runs/:id/${action}`, async (c) => {
      const body = c.req.header('content-type') === undefined ? {} : await bodies.json(c.req.raw);
      checkBody('ReasonRequest', body);
      const id = c.req.param('id');
      const reason = optional<string>(body.reason) ?? `the client asked to ${action} it`;
      await runs[action](id, c.var.client, reason);
      return c.json(runView(await runs.record(id, c.var.client)));
    });
  }
}

/** The number of an event that a client has. @throws RlmError `invalid-option` */
export function eventNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw invalidField('Last-Event-ID', 'it has to be the number of an event');
}
