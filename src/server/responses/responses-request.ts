import { isObject } from '../../argument-checks.ts';
import type { DoorMessage } from '../../door/messages.ts';
import { requestFromMessages } from '../../door/messages.ts';
import { checkMaxTokens, refusedParameter } from '../../door/parameters.ts';
import { type Asked, outputOf, warningsOf } from '../ask.ts';
import type { JsonBody } from '../body.ts';
import { isFilled } from '../chat/chat-request.ts';
import { checkBody, optional } from '../check-body.ts';
import { doorMessage, inField, invalidField } from '../wire-messages.ts';

/** A request of `/v1/responses`. */
export interface ResponsesRequest extends Asked {
  readonly stream: boolean;
  /** The run belongs to the server. */
  readonly background: boolean;
  readonly warnings: string | undefined;
}

/** Fields that need a response to be continued, or to be composed by the server. */
const REFUSED: Readonly<Record<string, string>> = {
  previous_response_id:
    'a response is not continued: send the earlier messages as input, or use a session (/v1/sessions)',
  conversation:
    'the server keeps no conversations: send the earlier messages as input, or use a session (/v1/sessions)',
  prompt: 'the server keeps no prompt templates: send the text',
};

/** @throws RlmError `invalid-option` naming the field, `context-invalid` for a file that is not text */
export function responsesRequest(body: JsonBody): ResponsesRequest {
  checkBody('ResponseRequest', body);
  refuse(body);
  const { model, input, instructions, text, max_output_tokens, reasoning, temperature } = body;
  const { top_p, truncation, max_tool_calls } = body;
  const format = isObject(text) ? optional<JsonBody>(text.format) : undefined;
  const maxOutputTokens = optional<number>(max_output_tokens);
  checkMaxTokens('max_output_tokens', maxOutputTokens);
  return {
    model: model as string,
    asked: inField('input', () => requestFromMessages(messagesOf(input, optional(instructions)))),
    output: outputOf(format, { schema: format?.schema, param: 'text.format' }),
    maxOutputTokens,
    temperature: optional(temperature),
    reasoningEffort: isObject(reasoning) ? optional(reasoning.effort) : undefined,
    stream: body.stream === true,
    background: body.background === true,
    warnings: warningsOf(
      { top_p, truncation: truncation === 'disabled' ? undefined : truncation, max_tool_calls },
      body,
    ),
  };
}

function refuse(body: JsonBody): void {
  for (const [param, why] of Object.entries(REFUSED)) {
    if (optional(body[param]) !== undefined) throw invalidField(param, why);
  }
  if (isFilled(body.tools)) throw refusedParameter('tools');
  const { top_logprobs: logprobs, include } = body;
  const wantsLogprobs = Array.isArray(include) && include.includes('message.output_text.logprobs');
  if (wantsLogprobs || (typeof logprobs === 'number' && logprobs > 0)) throw refusedParameter('logprobs');
}

function messagesOf(input: unknown, instructions: string | undefined): readonly DoorMessage[] {
  const system = instructions === undefined ? [] : [doorMessage({ role: 'system', content: instructions })];
  if (typeof input === 'string') return [...system, doorMessage({ role: 'user', content: input })];
  return [...system, ...(input as readonly JsonBody[]).flatMap(itemMessages)];
}

/** Items of earlier responses are part of the conversation; their reasoning is not. */
function itemMessages(item: JsonBody): readonly DoorMessage[] {
  const { type = 'message', role } = item;
  if (type === 'message' && typeof role === 'string') return [doorMessage(item)];
  if (type === 'reasoning') return [];
  if (type === 'function_call') return [doorMessage({ role: 'assistant', content: JSON.stringify(item) })];
  if (type === 'function_call_output') return [doorMessage({ role: 'tool', content: JSON.stringify(item) })];
  throw invalidField('input', `an item of type ${JSON.stringify(type)} is not known here`);
}
