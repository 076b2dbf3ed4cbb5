import type { Format, MockAnswer, MockRequest, MockUsage } from '../mock-types.ts';
import { contentText, pieces, readChat, sse } from './sse.ts';

const ITEM = 'msg_1';

/** https://platform.openai.com/docs/api-reference/responses-streaming */
export const openaiResponses: Format = {
  format: 'openai-responses',
  matches: (path) => path.endsWith('/responses'),
  read(_path, body) {
    const chat = (body.input as { role: string; content: unknown }[]).map(({ role, content }) => ({
      role,
      content: contentText(content),
    }));
    return { model: String(body.model), maxTokens: body.max_output_tokens as number | undefined, ...readChat(chat) };
  },
  render(answer, request) {
    const texts = pieces(answer.text, answer.pieces ?? 3);
    const part = { item_id: ITEM, output_index: 0, content_index: 0 };
    return {
      events: [
        event('response.created', { response: response(request, 'in_progress', null) }),
        event('response.in_progress', { response: response(request, 'in_progress', null) }),
        event('response.output_item.added', { output_index: 0, item: message('in_progress', '') }),
        event('response.content_part.added', { ...part, part: { type: 'output_text', text: '', annotations: [] } }),
        ...texts.map((delta) => event('response.output_text.delta', { ...part, delta, ...answer.extraFields })),
      ],
      ending: ending(answer, request, part),
    };
  },
  errorBody: (status, { message, type, code }) => ({
    error: { message, type: type ?? `error_${status}`, param: null, code: code ?? null },
  }),
  errorEvent: ({ message, type, code }) =>
    event('error', { code: code ?? type ?? 'server_error', message, param: null, sequence_number: 9 }),
  emptyReply: (request) => [
    event('response.created', { response: response(request, 'in_progress', null) }),
    event('response.completed', { response: response(request, 'completed', { inputTokens: 3, outputTokens: 0 }) }),
  ],
};

function ending(answer: MockAnswer & { usage: MockUsage | null }, request: MockRequest, part: object): string[] {
  const reason = answer.finishReason;
  if (reason === null) return [];
  const done = [
    event('response.output_text.done', { ...part, text: answer.text }),
    event('response.output_item.done', { output_index: 0, item: message('completed', answer.text) }),
  ];
  if (reason === undefined) {
    return [...done, event('response.completed', { response: response(request, 'completed', answer.usage) })];
  }
  const incomplete = { ...response(request, 'incomplete', answer.usage), incomplete_details: { reason } };
  return [...done, event('response.incomplete', { response: incomplete })];
}

function event(type: string, fields: object): string {
  return sse({ type, ...fields }, type);
}

function message(status: string, text: string): object {
  const content = text === '' ? [] : [{ type: 'output_text', text, annotations: [] }];
  return { id: ITEM, type: 'message', role: 'assistant', status, content };
}

function response(request: MockRequest, status: string, usage: MockUsage | null): object {
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1_700_000_000,
    model: request.model,
    status,
    error: null,
    incomplete_details: null,
    output: [],
    service_tier: 'default',
    usage:
      usage === null
        ? null
        : {
            input_tokens: usage.inputTokens,
            input_tokens_details: { cached_tokens: usage.cachedTokens ?? 0 },
            output_tokens: usage.outputTokens,
            output_tokens_details: { reasoning_tokens: 0 },
            total_tokens: usage.inputTokens + usage.outputTokens,
          },
  };
}
