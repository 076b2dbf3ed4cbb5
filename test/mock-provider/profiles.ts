/**
 * Servers as they really answer, each with its faults: what they refuse, how they report their window and cost, and the
 * shape of their replies. Sources, read in November 2026: `openai/openai.go` of ollama/ollama; vllm-project/vllm issue 4667 and
 * pull request 33425; the error text of llama.cpp as other repositories quote it; Azure's streams in sashabaranov/go-openai#444 and
 * openai/openai-python#1677; OpenRouter's pages on streaming and errors. The overflow texts of vLLM and LM Studio are from memory.
 */
import type { IncomingMessage } from 'node:http';
import { sse } from './formats/sse.ts';
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
const JSON_BODY = { 'content-type': 'application/json' };
const asIs = (answer: MockAnswer): MockAnswer => answer;
const accepts = (): undefined => undefined;
const nothing = (): undefined => undefined;

function badRequest(
  message: string,
  more: { readonly param?: string; readonly code?: string } = {},
  status = 400,
): MockFault {
  const error = { message, type: 'invalid_request_error', param: more.param ?? null, code: more.code ?? null };
  return { fault: 'status', status, body: JSON.stringify({ error }), headers: JSON_BODY };
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
      ({
        '/api/ps': { models: [{ name: model, model, context_length: WINDOW }] },
        '/api/show': { parameters: 'temperature    0.6', model_info: { 'qwen3.context_length': 262_144 } },
        '/v1/models': { object: 'list', data: [{ id: model, object: 'model', created: 1, owned_by: 'library' }] },
      })[path],
    refuse: accepts,
    shape: (answer, request) => ({
      ...answer,
      reasoning: 'I read the passage.',
      reasoningField: 'reasoning',
      extraFields: { system_fingerprint: 'fp_ollama' },
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
      const error = {
        message:
          `'max_tokens' or 'max_completion_tokens' is too large: ${asked}. This model's maximum context length is ${WINDOW / 2} tokens ` +
          `and your request has ${prompt} input tokens (${asked} > ${WINDOW / 2} - ${prompt}). (parameter=max_tokens, value=${asked})`,
        ...{ type: 'BadRequestError', param: 'max_tokens', code: 400 },
      };
      return { fault: 'status', status: 400, body: JSON.stringify({ error }), headers: JSON_BODY };
    },
    shape: (answer) => ({ ...answer, reasoning: 'I read the passage.', choiceFields: { stop_reason: null } }),
  },
  /** Refuses a prompt above the window of a slot; the sizes are fields of their own. */
  'llama.cpp': {
    basePath: '/v1',
    facts: (path) =>
      path === '/props' ? { default_generation_settings: { n_ctx: WINDOW }, total_slots: 1 } : undefined,
    refuse: (request) => {
      const prompt = promptTokens(request);
      if (prompt < WINDOW) return undefined;
      const message = `request (${prompt} tokens) exceeds the available context size (${WINDOW} tokens), try increasing it`;
      const error = { code: 400, message, type: 'exceed_context_size_error', n_prompt_tokens: prompt, n_ctx: WINDOW };
      return { fault: 'status', status: 400, body: JSON.stringify({ error }), headers: JSON_BODY };
    },
    shape: (answer) => ({
      ...answer,
      reasoning: 'I read the passage.',
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
      if (!/[?&]api-version=/.test(incoming.url ?? '')) {
        const error = { code: '404', message: 'Resource not found' };
        return { fault: 'status', status: 404, body: JSON.stringify({ error }), headers: JSON_BODY };
      }
      return request.body.stream_options === undefined
        ? undefined
        : badRequest('Unrecognized request argument supplied: stream_options');
    },
    // The first event has no choice, the last one a choice without a delta: the filter reports by them.
    shape: (answer) => ({
      ...answer,
      usage: null,
      prelude: sse({
        id: '',
        object: '',
        created: 0,
        model: '',
        choices: [],
        prompt_filter_results: [{ prompt_index: 0 }],
      }),
      choiceFields: { content_filter_results: {} },
      lastChunk: {
        ...{ id: '', object: '', created: 0, model: '' },
        choices: [
          { index: 0, finish_reason: null, content_filter_results: {}, content_filter_offsets: { end_offset: 1 } },
        ],
      },
    }),
  },
  /** Reports the cost of each call, and keeps the connection alive with comments; an upstream breaks off once. */
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
      const shaped = {
        ...answer,
        usage,
        prelude: ': OPENROUTER PROCESSING\n\n',
        extraFields: { provider: 'Upstream' },
      };
      if (request.index !== 1 || failedOnce.has(request.body))
        return { ...shaped, reasoning: 'Hm.', reasoningField: 'reasoning' };
      failedOnce.add(request.body);
      return {
        ...shaped,
        text: answer.text.slice(0, 20),
        finishReason: null,
        usage: null,
        lastChunk: {
          ...{ id: 'gen-1', object: 'chat.completion.chunk', created: 1, model: request.model, provider: 'Upstream' },
          error: { code: 502, message: 'Provider disconnected unexpectedly' },
          choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error', native_finish_reason: 'error' }],
        },
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
        : badRequest(
            "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
            { param: 'temperature', code: 'unsupported_value' },
          );
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
