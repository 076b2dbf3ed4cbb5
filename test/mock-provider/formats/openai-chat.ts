import type { Format } from '../mock-types.ts';
import { contentText, pieces, readChat, sse } from './sse.ts';

/** https://platform.openai.com/docs/api-reference/chat-streaming */
export const openaiChat: Format = {
  format: 'openai-chat',
  matches: (path) => path.endsWith('/chat/completions'),
  read(_path, body) {
    const chat = (body.messages as { role: string; content: unknown }[]).map(({ role, content }) => ({
      role,
      content: contentText(content),
    }));
    const maxTokens = (body.max_completion_tokens ?? body.max_tokens) as number | undefined;
    return { model: String(body.model), maxTokens, ...readChat(chat) };
  },
  render(answer, request) {
    const chunk = (choices: unknown[], more: object = {}): string =>
      sse({
        id: 'chatcmpl-1',
        object: 'chat.completion.chunk',
        created: 1_700_000_000,
        model: request.model,
        choices,
        ...answer.extraFields,
        ...more,
      });
    const delta = (fields: object): string => chunk([{ index: 0, delta: fields, finish_reason: null }]);
    const finish = answer.finishReason === undefined ? 'stop' : answer.finishReason;
    const { usage } = answer;
    return {
      events: [
        ...(answer.prelude === undefined ? [] : [answer.prelude]),
        delta({ role: 'assistant', content: '' }),
        ...pieces(answer.reasoning ?? '', 2).map((text) =>
          delta({ [answer.reasoningField ?? 'reasoning_content']: text }),
        ),
        ...pieces(answer.text, answer.pieces ?? 3).map((text) => delta({ content: text })),
      ],
      ending: [
        ...(answer.lastChunk === undefined ? [] : [sse(answer.lastChunk)]),
        ...(finish === null ? [] : [chunk([{ index: 0, delta: {}, finish_reason: finish, ...answer.choiceFields }])]),
        ...(usage === null
          ? []
          : [
              chunk([], {
                usage: {
                  prompt_tokens: usage.inputTokens,
                  completion_tokens: usage.outputTokens,
                  total_tokens: usage.inputTokens + usage.outputTokens,
                  prompt_tokens_details: { cached_tokens: usage.cachedTokens ?? 0 },
                  ...(usage.cost === undefined ? {} : { cost: usage.cost }),
                },
              }),
            ]),
        sse('[DONE]'),
      ],
    };
  },
  wholeReply: ({ text, usage, finishReason, choiceFields }, request) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: request.model,
    choices: [
      {
        ...{ index: 0, message: { role: 'assistant', content: text }, finish_reason: finishReason ?? 'stop' },
        ...choiceFields,
      },
    ],
    ...(usage === null
      ? {}
      : { usage: { prompt_tokens: usage.inputTokens, completion_tokens: usage.outputTokens, total_tokens: 0 } }),
  }),
  errorBody: (status, { message, type, code }) => ({
    error: { message, type: type ?? `error_${status}`, param: null, code: code ?? null },
  }),
  errorEvent: ({ message, type, code }) =>
    sse({ error: { message, type: type ?? 'server_error', param: null, code: code ?? null } }),
  emptyReply: () => [
    sse({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [] }),
    sse('[DONE]'),
  ],
};
