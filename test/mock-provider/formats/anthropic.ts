import type { Format } from '../mock-types.ts';
import { contentText, pieces, sse } from './sse.ts';

/** https://docs.anthropic.com/en/api/messages-streaming */
export const anthropic: Format = {
  format: 'anthropic',
  matches: (path) => path.endsWith('/messages'),
  read(_path, body) {
    const messages = (body.messages as { role: string; content: unknown }[]).map(({ role, content }) => ({
      role,
      content: contentText(content),
    }));
    return {
      model: String(body.model),
      system: contentText(body.system),
      messages,
      prompt: messages.findLast(({ role }) => role === 'user')?.content ?? '',
      maxTokens: body.max_tokens as number | undefined,
    };
  },
  render(answer, request) {
    const { usage } = answer;
    const finish = answer.finishReason === undefined ? 'end_turn' : answer.finishReason;
    const thinking = answer.reasoning === undefined ? [] : block(0, 'thinking', [answer.reasoning]);
    return {
      events: [
        start(request.model, usage === null ? {} : { input_tokens: usage.inputTokens, output_tokens: 1 }),
        sse({ type: 'ping' }, 'ping'),
        ...thinking,
        ...block(1, 'text', pieces(answer.text, answer.pieces ?? 3), answer.extraFields),
      ],
      ending:
        finish === null
          ? []
          : [
              sse(
                {
                  type: 'message_delta',
                  delta: { stop_reason: finish, stop_sequence: null },
                  usage: { output_tokens: usage?.outputTokens ?? 0 },
                },
                'message_delta',
              ),
              sse({ type: 'message_stop' }, 'message_stop'),
            ],
    };
  },
  errorBody: (status, { message, type }) => ({ type: 'error', error: { type: type ?? `error_${status}`, message } }),
  errorEvent: ({ message, type }) => sse({ type: 'error', error: { type: type ?? 'api_error', message } }, 'error'),
  emptyReply: (request) => [
    start(request.model, { input_tokens: 3, output_tokens: 0 }),
    sse(
      { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 0 } },
      'message_delta',
    ),
    sse({ type: 'message_stop' }, 'message_stop'),
  ],
};

function start(model: string, usage: object): string {
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 0, output_tokens: 0, ...usage },
  };
  return sse({ type: 'message_start', message }, 'message_start');
}

function block(index: number, type: 'text' | 'thinking', texts: readonly string[], extra: object = {}): string[] {
  const content = type === 'text' ? { type, text: '' } : { type, thinking: '', signature: '' };
  const delta = (text: string): object =>
    type === 'text' ? { type: 'text_delta', text } : { type: 'thinking_delta', thinking: text };
  return [
    sse({ type: 'content_block_start', index, content_block: content }, 'content_block_start'),
    ...texts.map((text) =>
      sse({ type: 'content_block_delta', index, delta: delta(text), ...extra }, 'content_block_delta'),
    ),
    sse({ type: 'content_block_stop', index }, 'content_block_stop'),
  ];
}
