import type { Context } from 'hono';
import { doorAnswer } from '../../door/answer.ts';
import { errorResponse } from '../../door/error-response.ts';
import { narrate } from '../../door/narrate.ts';
import type { CompletionRun } from '../../run/run-handle.ts';
import { completionRequest, fathomFacts, untilBegun } from '../ask.ts';
import { ANSWER_PIECE_CHARS } from '../limits.ts';
import type { ServerEnv } from '../server-env.ts';
import type { ServerParts } from '../server-parts.ts';
import { disconnectSignal, eventStream, type SendEvent } from '../sse.ts';
import { type ChatHead, chatChunk, chatCompletion, chatUsage } from './chat-reply.ts';
import { type ChatRequest, chatRequest } from './chat-request.ts';

/** `POST /v1/chat/completions`: the run belongs to its connection. */
export async function chatCompletions(c: Context<ServerEnv>, parts: ServerParts): Promise<Response> {
  const { config, runs, bodies } = parts;
  const signal = disconnectSignal(c);
  const request = chatRequest(await bodies.json(c.req.raw));
  const asked = completionRequest(request, config.models);
  const run = runs.start({ ...asked, signal }, c.var.client, false);
  c.header('x-fathom-run-id', run.id);
  if (request.warnings !== undefined) c.header('x-fathom-warnings', request.warnings);
  const head: ChatHead = { id: `chatcmpl-${run.id}`, created: Math.floor(Date.now() / 1_000), model: request.model };
  if (!request.stream) return c.json(chatCompletion(head, await run, request.maxOutputTokens));
  await untilBegun(run);
  return eventStream(c, { ...config.limits, onError: config.onError }, (send) =>
    streamChat(send, run, { head, request }),
  );
}

interface StreamedChat {
  readonly head: ChatHead;
  readonly request: ChatRequest;
}

/** Turns are reasoning; the answer follows once it is accepted. */
async function streamChat(
  send: SendEvent,
  run: CompletionRun<unknown>,
  { head, request }: StreamedChat,
): Promise<void> {
  const noUsage = request.includeUsage ? { usage: null } : {};
  const chunk = (delta: Readonly<Record<string, unknown>>, finish?: string): Promise<void> =>
    send({ data: chatChunk(head, delta, { ...noUsage, ...(finish !== undefined && { finish }) }) });
  try {
    await chunk({ role: 'assistant', content: '' });
    for await (const { text } of narrate(run)) await chunk({ reasoning_content: text });
    const result = await run;
    const { text, finish } = doorAnswer(result, request.maxOutputTokens);
    for (let at = 0; at < text.length; at += ANSWER_PIECE_CHARS) {
      await chunk({ content: text.slice(at, at + ANSWER_PIECE_CHARS) });
    }
    await send({ data: { ...chatChunk(head, {}, { ...noUsage, finish }), fathom: fathomFacts(result) } });
    if (request.includeUsage) {
      await send({ data: { ...chatChunk(head, {}), choices: [], usage: chatUsage(result) } });
    }
    await send({ data: '[DONE]' });
  } catch (error) {
    await send({ data: errorResponse(error).body });
  }
}
