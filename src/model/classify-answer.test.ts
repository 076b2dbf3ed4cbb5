/** Errors of requests that are too long, as servers word them: the kind of fault, and both sizes. */
import { expect, test } from 'vitest';
import { faultOf, readSizes } from './classify-answer.ts';
import { readRefusal } from './endpoint/refusal.ts';
import { readProviderAnswer } from './provider-answer.ts';

const SENT = { model: 'm', messages: [], max_tokens: 16_384, stream: true };

test.each([
  [
    'vLLM',
    {
      error: {
        message:
          "This model's maximum context length is 8192 tokens. However, your request has 9000 input tokens. Please reduce the length of the input messages. (parameter=input_tokens, value=9000)",
        ...{ type: 'BadRequestError', param: 'input_tokens', code: 400 },
      },
    },
    { limit: 8_192, size: 9_000 },
  ],
  [
    'llama.cpp',
    {
      error: {
        code: 400,
        message: 'request (13392 tokens) exceeds the available context size (8192 tokens), try increasing it',
        ...{ type: 'exceed_context_size_error', n_prompt_tokens: 13_392, n_ctx: 8_192 },
      },
    },
    { limit: 8_192, size: 13_392 },
  ],
  [
    'LM Studio',
    {
      error:
        'Trying to keep the first 13392 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough.',
    },
    { limit: 4_096, size: 13_392 },
  ],
  [
    'OpenRouter',
    {
      error: {
        message:
          "This endpoint's maximum context length is 131072 tokens. However, you requested about 200000 tokens (183616 of text input, 16384 in the output).",
        code: 400,
      },
    },
    { limit: 131_072, size: 200_000 },
  ],
])('a prompt that fills the window by itself: %s', (_, body, sizes) => {
  const answer = readProviderAnswer(JSON.stringify(body));
  expect(faultOf(400, answer)).toBe('context-length');
  expect(readSizes(answer)).toEqual(sizes);
  // Less output does not help: nothing is sent again.
  expect(readRefusal(answer, SENT)).toBeUndefined();
});

test.each([
  [
    404,
    { error: { message: 'model "qwen9" not found, try pulling it first', type: 'not_found_error', code: null } },
    'model',
  ],
  [
    404,
    { error: { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.' } },
    'model',
  ],
  [402, { error: { code: 402, message: 'This request requires more credits, or fewer max_tokens.' } }, 'quota'],
  [502, { error: { code: 502, message: 'Provider disconnected unexpectedly' } }, 'server'],
])('HTTP %i %j', (status, body, fault) => {
  expect(faultOf(status, readProviderAnswer(JSON.stringify(body)))).toBe(fault);
});
