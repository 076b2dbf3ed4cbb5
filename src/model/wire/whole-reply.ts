import { asObject, type JsonObject, parseJson, readProviderAnswer } from '../provider-answer.ts';

/**
 * A whole reply in one JSON body, as the events of a stream that would have said the same: some servers ignore `stream`,
 * and some are asked not to stream. Undefined when the body is not a whole reply of a known format.
 */
export function wholeReplyAsEvents(text: string): string | undefined {
  // A byte order mark is not JSON.
  const body = parseJson(text.replace(/^\uFEFF/, ''));
  if (Array.isArray(body)) return googleEvents(body.map(asObject));
  const reply = asObject(body);
  if (reply === undefined || (reply.error !== undefined && reply.error !== null)) return undefined;
  if (Array.isArray(reply.choices)) return chatEvents(reply, reply.choices);
  if (reply.object === 'response' && Array.isArray(reply.output)) return responsesEvents(reply, reply.output);
  if (reply.type === 'message' && Array.isArray(reply.content)) return anthropicEvents(reply, reply.content);
  return Array.isArray(reply.candidates) ? googleEvents([reply]) : undefined;
}

/** https://platform.openai.com/docs/api-reference/chat/object */
function chatEvents(reply: JsonObject, choices: readonly unknown[]): string | undefined {
  const choice = asObject(choices[0]);
  const message = asObject(choice?.message);
  if (choice === undefined || message === undefined) return undefined;
  const chunk = (fields: object): string =>
    event({
      id: reply.id ?? 'chatcmpl-whole',
      object: 'chat.completion.chunk',
      created: reply.created ?? 0,
      model: reply.model ?? '',
      ...fields,
    });
  const toolCalls = Array.isArray(message.tool_calls)
    ? { tool_calls: message.tool_calls.map((call, index) => ({ index, ...asObject(call) })) }
    : {};
  const { finish_reason, message: _, ...others } = choice;
  return [
    chunk({
      choices: [{ ...others, index: 0, delta: { ...message, role: 'assistant', ...toolCalls }, finish_reason: null }],
    }),
    chunk({
      choices: [{ ...others, index: 0, delta: {}, finish_reason }],
      ...(asObject(reply.usage) === undefined ? {} : { usage: reply.usage }),
    }),
    'data: [DONE]\n\n',
  ].join('');
}

/** https://platform.openai.com/docs/api-reference/responses-streaming */
function responsesEvents(reply: JsonObject, output: readonly unknown[]): string {
  const events: string[] = [
    event({ type: 'response.created', response: { ...reply, created_at: reply.created_at ?? 0 } }),
  ];
  for (const [index, item] of output.entries()) {
    const content = asObject(item)?.content;
    if (asObject(item)?.type !== 'message' || !Array.isArray(content)) continue;
    const id = asObject(item)?.id ?? `msg_${index}`;
    const started = { type: 'message', id };
    events.push(event({ type: 'response.output_item.added', output_index: index, item: started }));
    for (const part of content) {
      const delta = asObject(part)?.text;
      if (typeof delta === 'string')
        events.push(event({ type: 'response.output_text.delta', item_id: id, output_index: index, delta }));
    }
    events.push(event({ type: 'response.output_item.done', output_index: index, item: started }));
  }
  const type = reply.status === 'incomplete' ? 'response.incomplete' : 'response.completed';
  events.push(event({ type, response: reply }));
  return events.join('');
}

/** https://docs.anthropic.com/en/api/messages-streaming */
function anthropicEvents(reply: JsonObject, content: readonly unknown[]): string {
  const usage = asObject(reply.usage) ?? { input_tokens: 0, output_tokens: 0 };
  const events: string[] = [
    event({ type: 'message_start', message: { ...reply, content: [], stop_reason: null, usage } }),
  ];
  for (const [index, block] of content.entries()) {
    const { type, text, thinking } = asObject(block) ?? {};
    const delta = type === 'thinking' ? { type: 'thinking_delta', thinking } : { type: 'text_delta', text };
    if (type !== 'text' && type !== 'thinking') continue;
    const empty = type === 'thinking' ? { type, thinking: '', signature: '' } : { type, text: '' };
    events.push(event({ type: 'content_block_start', index, content_block: empty }));
    events.push(event({ type: 'content_block_delta', index, delta }));
    events.push(event({ type: 'content_block_stop', index }));
  }
  const delta = { stop_reason: reply.stop_reason ?? null, stop_sequence: reply.stop_sequence ?? null };
  events.push(event({ type: 'message_delta', delta, usage: { output_tokens: usage.output_tokens ?? 0 } }));
  events.push(event({ type: 'message_stop' }));
  return events.join('');
}

/** `generateContent`, or `streamGenerateContent` without `alt=sse`: an array of the same objects. */
function googleEvents(parts: readonly (JsonObject | undefined)[]): string | undefined {
  const whole = parts.filter((part) => part !== undefined && Array.isArray(part.candidates));
  if (whole.length === 0 || parts.some((part) => part === undefined || readProviderAnswer(part) !== undefined))
    return undefined;
  return whole.map((part) => event(part ?? {})).join('');
}

function event(data: object): string {
  const type = (data as { readonly type?: unknown }).type;
  const name = typeof type === 'string' ? `event: ${type}\n` : '';
  return `${name}data: ${JSON.stringify(data)}\n\n`;
}
