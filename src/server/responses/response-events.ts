import { doorAnswer } from '../../door/answer.ts';
import { narrate } from '../../door/narrate.ts';
import type { CompletionRun } from '../../run/run-handle.ts';
import type { JsonBody } from '../body.ts';
import { ANSWER_PIECE_CHARS } from '../limits.ts';
import type { SendEvent } from '../sse.ts';
import {
  endedResponse,
  failedResponse,
  messageItem,
  openResponse,
  type ResponseHead,
  reasoningItem,
  textPart,
} from './response-object.ts';

/** Sends one event of a response; it gets its number. */
type SendTyped = (type: string, fields: JsonBody) => Promise<void>;

/** A response as the documented sequence of events: created, in progress, items with their parts, and one end. */
export async function streamResponse(
  send: SendEvent,
  run: CompletionRun<unknown>,
  { head, maxOutputTokens }: { readonly head: ResponseHead; readonly maxOutputTokens: number | undefined },
): Promise<void> {
  let number = 0;
  const typed: SendTyped = (type, fields) =>
    send({ event: type, data: { type, sequence_number: number++, ...fields } });
  try {
    await typed('response.created', { response: openResponse(head, 'in_progress') });
    await typed('response.in_progress', { response: openResponse(head, 'in_progress') });
    const reasoning = await streamReasoning(typed, run);
    const result = await run;
    await streamMessage(typed, run.id, doorAnswer(result, maxOutputTokens).text);
    const response = endedResponse(head, result, { reasoning, maxOutputTokens });
    await typed(response.status === 'completed' ? 'response.completed' : 'response.incomplete', { response });
  } catch (error) {
    await typed('response.failed', { response: failedResponse(head, error) });
  }
}

/** The turns as the summary of a reasoning item. */
async function streamReasoning(send: SendTyped, run: CompletionRun<unknown>): Promise<JsonBody> {
  const place = { item_id: `rs_${run.id}`, output_index: 0, summary_index: 0 };
  await send('response.output_item.added', { output_index: 0, item: reasoningItem(run.id, '') });
  await send('response.reasoning_summary_part.added', { ...place, part: { type: 'summary_text', text: '' } });
  let text = '';
  for await (const thought of narrate(run)) {
    text += thought.text;
    await send('response.reasoning_summary_text.delta', { ...place, delta: thought.text });
  }
  await send('response.reasoning_summary_text.done', { ...place, text });
  await send('response.reasoning_summary_part.done', { ...place, part: { type: 'summary_text', text } });
  const item = reasoningItem(run.id, text);
  await send('response.output_item.done', { output_index: 0, item });
  return item;
}

/** The answer, once it is accepted. */
async function streamMessage(send: SendTyped, runId: string, text: string): Promise<void> {
  const place = { item_id: `msg_${runId}`, output_index: 1, content_index: 0 };
  await send('response.output_item.added', { output_index: 1, item: messageItem(runId, '', 'in_progress') });
  await send('response.content_part.added', { ...place, part: textPart('') });
  for (let at = 0; at < text.length; at += ANSWER_PIECE_CHARS) {
    const delta = text.slice(at, at + ANSWER_PIECE_CHARS);
    await send('response.output_text.delta', { ...place, delta, logprobs: [] });
  }
  await send('response.output_text.done', { ...place, text, logprobs: [] });
  await send('response.content_part.done', { ...place, part: textPart(text) });
  await send('response.output_item.done', { output_index: 1, item: messageItem(runId, text) });
}
