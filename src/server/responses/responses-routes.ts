import type { Context, Hono } from 'hono';
import type { RunRecord } from '../../store/index.ts';
import { completionRequest, untilBegun } from '../ask.ts';
import type { ServerEnv } from '../server-env.ts';
import type { ServerParts } from '../server-parts.ts';
import { disconnectSignal, eventStream } from '../sse.ts';
import { invalidField } from '../wire-messages.ts';
import { streamResponse } from './response-events.ts';
import { endedResponse, openResponse, type ResponseHead, runIdOf, storedResponse } from './response-object.ts';
import { responsesRequest } from './responses-request.ts';

/** Adds `/v1/responses`. */
export function addResponses(app: Hono<ServerEnv>, parts: ServerParts): void {
  const { runs } = parts;
  app.post('/v1/responses', (c) => createResponse(c, parts));
  app.get('/v1/responses/:id', async (c) => {
    if (c.req.query('stream') === 'true') {
      throw invalidField('stream', 'only a new response streams; GET /v1/runs/ID/events follows a run');
    }
    const id = runIdOf(c.req.param('id'));
    return c.json(responseOf(await runs.record(id, c.var.client), parts));
  });
  app.post('/v1/responses/:id/cancel', async (c) => {
    const id = runIdOf(c.req.param('id'));
    await runs.cancel(id, c.var.client, 'the client cancelled the response');
    return c.json(responseOf(await runs.record(id, c.var.client), parts));
  });
}

/** The run belongs to its connection, unless it is asked for in the background. */
async function createResponse(c: Context<ServerEnv>, { config, runs, bodies }: ServerParts): Promise<Response> {
  const signal = disconnectSignal(c);
  const request = responsesRequest(await bodies.json(c.req.raw));
  const { background, maxOutputTokens, model } = request;
  const asked = completionRequest(request, config.models);
  const run = runs.start({ ...asked, ...(!background && { signal }) }, c.var.client, background);
  c.header('x-fathom-run-id', run.id);
  if (request.warnings !== undefined) c.header('x-fathom-warnings', request.warnings);
  const head: ResponseHead = { runId: run.id, createdAt: Math.floor(Date.now() / 1_000), model, background };
  if (!request.stream && !background) return c.json(endedResponse(head, await run, { maxOutputTokens }));
  await untilBegun(run);
  if (!request.stream) return c.json(openResponse(head, 'in_progress'));
  return eventStream(c, { ...config.limits, onError: config.onError }, (send) =>
    streamResponse(send, run, { head, maxOutputTokens }),
  );
}

/** The server's name of a model is not in the record; its reference is. */
function responseOf(record: RunRecord, { config }: ServerParts): ReturnType<typeof storedResponse> {
  const { rootModel } = record.request;
  const name = Object.entries(config.models).find(([, { model }]) => model === rootModel)?.[0];
  return storedResponse(record, name ?? Object.keys(config.models)[0] ?? rootModel);
}
