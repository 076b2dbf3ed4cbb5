import type { Format } from '../mock-types.ts';
import { contentText, pieces, sse } from './sse.ts';

interface Content {
  readonly role: string;
  readonly parts: unknown;
}

/** https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent */
export const google: Format = {
  format: 'google',
  matches: (path) => path.includes(':streamGenerateContent'),
  read(path, body) {
    const messages = (body.contents as Content[]).map(({ role, parts }) => ({
      role: role === 'model' ? 'assistant' : role,
      content: contentText(parts),
    }));
    const config = body.generationConfig as { maxOutputTokens?: number } | undefined;
    return {
      model: /models\/([^:]+):/.exec(path)?.[1] ?? '',
      system: contentText((body.systemInstruction as Content | undefined)?.parts),
      messages,
      prompt: messages.findLast(({ role }) => role === 'user')?.content ?? '',
      maxTokens: config?.maxOutputTokens,
    };
  },
  render(answer) {
    const { usage } = answer;
    const parts = [
      ...(answer.reasoning === undefined ? [] : [{ text: answer.reasoning, thought: true }]),
      ...pieces(answer.text, answer.pieces ?? 3).map((text) => ({ text })),
    ];
    const finish = answer.finishReason === undefined ? 'STOP' : answer.finishReason;
    const usageMetadata =
      usage === null
        ? {}
        : {
            usageMetadata: {
              promptTokenCount: usage.inputTokens,
              candidatesTokenCount: usage.outputTokens,
              totalTokenCount: usage.inputTokens + usage.outputTokens,
              ...(usage.cachedTokens === undefined ? {} : { cachedContentTokenCount: usage.cachedTokens }),
            },
          };
    return {
      events: parts.map((part) => candidate({ content: { parts: [part], role: 'model' } }, answer.extraFields)),
      ending:
        finish === null
          ? []
          : [candidate({ content: { parts: [{ text: '' }], role: 'model' }, finishReason: finish }, usageMetadata)],
    };
  },
  errorBody: (status, { message, type, code }) => ({
    error: {
      code: status,
      message,
      status: type ?? 'UNKNOWN',
      details: code === undefined ? [] : [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: code }],
    },
  }),
  errorEvent: ({ message, type }) => sse({ error: { code: 503, message, status: type ?? 'UNAVAILABLE' } }),
  emptyReply: () => [sse({ candidates: [], usageMetadata: { promptTokenCount: 3, totalTokenCount: 3 } })],
};

function candidate(fields: object, more: object = {}): string {
  return sse({ candidates: [{ index: 0, ...fields }], ...more });
}
