/** Errors as the servers word them, each with the change that makes the same call succeed. */
import { describe, expect, test } from 'vitest';
import { readProviderAnswer } from '../provider-answer.ts';
import { createEndpoint } from './endpoint.ts';
import { type Adaptation, readRefusal } from './refusal.ts';

const CHAT = {
  model: 'm',
  messages: [],
  max_tokens: 16_384,
  stream: true,
  stream_options: { include_usage: true },
  temperature: 0.2,
};

function read(error: unknown, sent: Record<string, unknown> = CHAT): Adaptation | undefined {
  return readRefusal(readProviderAnswer(JSON.stringify(error)), sent);
}

function message(text: string, more: object = {}): unknown {
  return { error: { message: text, type: 'invalid_request_error', ...more } };
}

describe('parameters', () => {
  test.each([
    [
      'OpenAI, GPT-5',
      message(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        { param: 'max_tokens', code: 'unsupported_parameter' },
      ),
    ],
    [
      'Azure without a param field',
      message("Unrecognized request argument supplied: max_tokens. Use 'max_completion_tokens'."),
    ],
    [
      'a gateway in FastAPI',
      { detail: [{ type: 'extra_forbidden', loc: ['body', 'max_tokens'], msg: 'Extra inputs are not permitted' }] },
    ],
  ])('max_tokens is renamed: %s', (_, error) => {
    expect(read(error)).toEqual({ kind: 'rename', parameter: 'max_tokens', to: 'max_completion_tokens' });
  });

  test('an older server refuses the newer name', () => {
    const { max_tokens, ...others } = CHAT;
    expect(
      read(message("Unknown parameter 'max_completion_tokens', did you mean 'max_tokens'?"), {
        ...others,
        max_completion_tokens: max_tokens,
      }),
    ).toEqual({
      kind: 'rename',
      parameter: 'max_completion_tokens',
      to: 'max_tokens',
    });
  });

  test.each([
    ['stream_options', message('Unrecognized request argument supplied: stream_options', { param: null })],
    ['stream_options', { detail: [{ loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' }] }],
    [
      'stream_options',
      {
        object: 'error',
        message:
          "[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': 'Extra inputs are not permitted'}]",
      },
    ],
    [
      'temperature',
      message(
        "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
        { param: 'temperature', code: 'unsupported_value' },
      ),
    ],
    ['temperature', message("temperature isn't supported by this model")],
  ])('%s is left out', (parameter, error) => {
    expect(read(error)).toEqual({ kind: 'omit', parameter });
  });

  test.each([
    message('Your organization must be verified to stream this model.', { param: 'stream', code: 'unsupported_value' }),
    message("'stream' is not supported for this account"),
    message('stream: not allowed'),
  ])('stream is switched off: %j', (error) => {
    expect(read(error)).toEqual({ kind: 'no-stream' });
  });

  test.each([
    message('The model m does not exist', { code: 'model_not_found' }),
    message("Unsupported value: 'messages[0].role' does not support 'system'", { param: 'messages[0].role' }),
    message('temperature must be between 0 and 2'),
    message('Unknown parameter: user_id', { param: 'user_id' }),
    message('Something is wrong'),
  ])('no change helps: %j', (error) => {
    expect(read(error)).toBeUndefined();
  });
});

describe('sizes', () => {
  test.each([
    [
      'OpenAI',
      'max_tokens is too large: 16384. This model supports at most 4096 completion tokens, whereas you provided 16384.',
      4_096,
    ],
    [
      'Anthropic',
      'max_tokens: 16384 > 8192, which is the maximum allowed number of output tokens for claude-3-5-haiku',
      8_192,
    ],
    [
      'Groq',
      '`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the `context_window` for this model',
      8_192,
    ],
    ['Mistral', 'max_tokens exceeds the limit of 4,096', 4_096],
    ['DeepSeek', 'Invalid max_tokens value, the valid range of max_tokens is [1, 8192]: at most 8192 tokens', 8_192],
  ])("the model's own maximum: %s", (_, text, tokens) => {
    expect(read(message(text))).toEqual({ kind: 'max-output', tokens });
  });

  test('Google names an exclusive end', () => {
    const sent = { contents: [], generationConfig: { maxOutputTokens: 16_384 } };
    const text =
      'Unable to submit request because it has a maxOutputTokens value of 16384 but the supported range is from 1 (inclusive) to 8193 (exclusive).';
    expect(read(message(text), sent)).toEqual({ kind: 'max-output', tokens: 8_192 });
  });

  test.each([
    [
      'vLLM',
      "This model's maximum context length is 32768 tokens. However, you requested 16384 output tokens and your prompt contains at least 16385 input tokens, for a total of at least 32769 tokens.",
      32_768,
      16_385,
    ],
    [
      'vLLM, older',
      "This model's maximum context length is 8192 tokens. However, you requested 17384 tokens (1000 in the messages, 16384 in the completion).",
      8_192,
      1_000,
    ],
    [
      'vLLM, newer',
      "'max_tokens' or 'max_completion_tokens' is too large: 16384. This model's maximum context length is 4096 tokens and your request has 1000 input tokens (16384 > 4096 - 1000).",
      4_096,
      1_000,
    ],
    [
      'vLLM 0.15',
      "This model's maximum context length is 2048 tokens. However, your request has 8 input tokens plus 2045 'max_tokens'. Please reduce one or the other. (parameter=input_tokens, max_tokens, value=(8, 2045))",
      2_048,
      8,
    ],
    [
      'OpenRouter, about text',
      "This endpoint's maximum context length is 32768 tokens. However, you requested about 40000 tokens (23616 of text input, 16384 in the output).",
      32_768,
      23_616,
    ],
    [
      'Together',
      '`inputs` tokens + `max_new_tokens` must be <= 8193. Given: 1000 `inputs` tokens and 16384 `max_new_tokens`',
      8_193,
      1_000,
    ],
    [
      'Anthropic',
      'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length or `max_tokens`',
      200_000,
      190_000,
    ],
  ])('input and output together: %s', (_, text, tokens, inputTokens) => {
    expect(read(message(text))).toEqual({ kind: 'window', tokens, inputTokens });
  });

  test.each([
    'prompt is too long: 215000 tokens > 200000 maximum',
    "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens.",
    'the request exceeds the available context size',
  ])('a prompt that fills the window by itself: %s', (text) => {
    expect(read(message(text))).toBeUndefined();
  });
});

describe('what an endpoint is known to accept', () => {
  test('the body is sent as it is until something is learned; then changed', () => {
    const endpoint = createEndpoint();
    const body = JSON.stringify(CHAT);
    expect(endpoint.adapt(body)).toBe(body);
    expect(endpoint.learn({ kind: 'rename', parameter: 'max_tokens', to: 'max_completion_tokens' })).toBe(true);
    expect(endpoint.learn({ kind: 'rename', parameter: 'max_tokens', to: 'max_completion_tokens' })).toBe(false);
    endpoint.learn({ kind: 'no-stream' });
    endpoint.learn({ kind: 'omit', parameter: 'temperature' });
    expect(JSON.parse(endpoint.adapt(body))).toEqual({
      model: 'm',
      messages: [],
      max_completion_tokens: 16_384,
      stream: false,
    });
  });

  test('a parameter refused under both names is left out', () => {
    const endpoint = createEndpoint();
    endpoint.learn({ kind: 'rename', parameter: 'max_tokens', to: 'max_completion_tokens' });
    expect(endpoint.learn({ kind: 'rename', parameter: 'max_completion_tokens', to: 'max_tokens' })).toBe(true);
    expect(JSON.parse(endpoint.adapt(JSON.stringify(CHAT)))).not.toHaveProperty('max_completion_tokens');
  });

  test('a cost makes a price that lies above it', () => {
    const endpoint = createEndpoint();
    expect(endpoint.price).toBeUndefined();
    endpoint.noteCost(0.01, { inputTokens: 1_000, outputTokens: 500, estimated: false });
    const { input = 0, output = 0 } = endpoint.price ?? {};
    expect((1_000 * input + 500 * output) / 1_000_000).toBeCloseTo(0.02);
  });
});
