/**
 * Servers as they really answer, each with its faults: what they refuse, how they report their window and cost, and the
 * shape of their replies. Sources: the servers' documentation and the public bug reports behind `docs/providers`.
 */
import type { IncomingMessage } from 'node:http';
import type { MockAnswer, MockFault, MockRequest } from './mock-types.ts';

/** One kind of server behind OpenAI's chat format. */
export interface ServerProfile {
  /** Path of its base URL, with a query where it needs one. */
  readonly basePath: string;
  /** JSON for its other paths; undefined: 404. */
  readonly facts: (path: string, model: string) => unknown;
  /** The refusal of a request, if it refuses it. */
  readonly refuse: (request: MockRequest, incoming: IncomingMessage) => MockFault | undefined;
  /** Changes a reply to the server's form. */
  readonly shape: (answer: MockAnswer, request: MockRequest) => MockAnswer | MockFault;
}

const WINDOW = 32_768;
const asIs = (answer: MockAnswer): MockAnswer => answer;
const accepts = (): undefined => undefined;
const nothing = (): undefined => undefined;

function badRequest(
  message: string,
  more: { readonly param?: string; readonly code?: string } = {},
  status = 400,
): MockFault {
  const error = { message, type: 'invalid_request_error', param: more.param ?? null, code: more.code ?? null };
  return { fault: 'status', status, body: JSON.stringify({ error }), headers: { 'content-type': 'application/json' } };
}

/** About the tokens of the prompt. */
function promptTokens({ system, messages }: MockRequest): number {
  return Math.ceil(messages.reduce((sum, { content }) => sum + content.length, system.length) / 4);
}

const failedOnce = new WeakSet<object>();

/** The name of a profile. */
export type ProfileName =
  | 'ollama'
  | 'vllm'
  | 'llama.cpp'
  | 'lm-studio'
  | 'azure'
  | 'openrouter'
  | 'gpt-5-gateway'
  | 'no-stream';

/** The profiles by name. */
export const PROFILES: Readonly<Record<ProfileName, ServerProfile>> = {
  /** Cuts a prompt above its window in silence; reasoning in `reasoning`. */
  ollama: {
    basePath: '/v1',
    facts: (path, model) =>
      path === '/api/ps' ? { models: [{ name: model, model, context_length: WINDOW }] } : undefined,
    refuse: accepts,
    shape: (answer, request) => ({
      ...answer,
      usage: {
        inputTokens: Math.min(promptTokens(request), WINDOW),
        outputTokens: Math.ceil(answer.text.length / 4) + 1,
      },
    }),
  },
  /** Refuses a request whose prompt and maximum together exceed the window. */
  vllm: {
    basePath: '/v1',
    // An older version, which does not report max_model_len: the window is learned from the first refusal.
    facts: (path, model) =>
      path === '/v1/models' ? { object: 'list', data: [{ id: model, object: 'model' }] } : undefined,
    refuse: (request) => {
      const asked = request.maxTokens ?? 0;
      const prompt = promptTokens(request);
      if (prompt + asked <= WINDOW / 2) return undefined;
      return badRequest(
        `This model's maximum context length is ${WINDOW / 2} tokens. However, you requested ${prompt + asked} tokens ` +
          `(${prompt} in the messages, ${asked} in the completion). Please reduce the length of the messages or completion.`,
      );
    },
    shape: asIs,
  },
  'llama.cpp': {
    basePath: '/v1',
    facts: (path) =>
      path === '/props' ? { default_generation_settings: { n_ctx: WINDOW }, total_slots: 1 } : undefined,
    refuse: accepts,
    shape: (answer) => ({
      ...answer,
      extraFields: { timings: { prompt_n: 1, predicted_n: 1 }, system_fingerprint: 'b1' },
    }),
  },
  'lm-studio': {
    basePath: '/v1',
    facts: (path, model) =>
      path === '/api/v0/models'
        ? { data: [{ id: model, state: 'loaded', max_context_length: 131_072, loaded_context_length: WINDOW }] }
        : undefined,
    refuse: accepts,
    // Thinks in the text of its reply.
    shape: (answer) => ({ ...answer, text: `<think>\nI read the passage.\n</think>\n\n${answer.text}` }),
  },
  /** A deployment with an API version in the query, too old for `stream_options`. */
  azure: {
    basePath: '/openai/deployments/recorded?api-version=2024-02-01',
    facts: nothing,
    refuse: (request, incoming) => {
      if (!/[?&]api-version=/.test(incoming.url ?? '')) return badRequest('Resource not found', { code: '404' }, 404);
      return request.body.stream_options === undefined
        ? undefined
        : badRequest('Unrecognized request argument supplied: stream_options');
    },
    shape: (answer) => ({ ...answer, usage: null, extraFields: { prompt_filter_results: [] } }),
  },
  /** Reports the cost of each call; an upstream breaks off once, and only the native reason says so. */
  openrouter: {
    basePath: '/api/v1',
    facts: nothing,
    refuse: accepts,
    shape: (answer, request) => {
      const usage = {
        inputTokens: promptTokens(request) + 8,
        outputTokens: Math.ceil(answer.text.length / 4) + 1,
        cost: 0.000_1,
      };
      if (request.index !== 1 || failedOnce.has(request.body)) return { ...answer, usage };
      failedOnce.add(request.body);
      return {
        ...answer,
        text: answer.text.slice(0, 20),
        usage,
        choiceFields: { native_finish_reason: 'network_error' },
      };
    },
  },
  /** GPT-5 behind a gateway: `max_tokens` is refused, and so is a temperature. */
  'gpt-5-gateway': {
    basePath: '/v1',
    facts: nothing,
    refuse: ({ body }) => {
      if (body.max_tokens !== undefined)
        return badRequest(
          "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
          {
            param: 'max_tokens',
            code: 'unsupported_parameter',
          },
        );
      return body.temperature === undefined
        ? undefined
        : badRequest("Unsupported value: 'temperature'", { param: 'temperature', code: 'unsupported_value' });
    },
    shape: asIs,
  },
  /** Ignores `stream` and sends each reply in one piece. */
  'no-stream': {
    basePath: '/v1',
    facts: nothing,
    refuse: accepts,
    shape: (answer) => ({ ...answer, inOnePiece: true }),
  },
};
