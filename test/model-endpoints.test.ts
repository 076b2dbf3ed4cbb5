/** Endpoints that differ from the protocol's letter: each call succeeds, is paid once, and the next one knows. */

import { describe, expect, test } from 'vitest';
import { at, call, refuse, serve, stream, whole } from './endpoint-harness.ts';

describe('an endpoint that refuses the form of a request', () => {
  test('GPT-5 behind a gateway: the maximum is sent under its other name, at once and from then on', async () => {
    const server = await serve((body, _, response) => {
      if (body.max_tokens === undefined) return stream(response, [{ content: 'three' }]);
      refuse(response, {
        message: "Unsupported parameter: 'max_tokens'",
        param: 'max_tokens',
        code: 'unsupported_parameter',
      });
    });
    const model = at(server);
    expect(await call(model)).toMatchObject({ reply: { text: 'three' }, attempts: 2 });
    expect(await call(model)).toMatchObject({ reply: { text: 'three' }, attempts: 1 });
    expect(server.bodies[2]).toMatchObject({ max_completion_tokens: 16_384 });
  });

  test('streaming is not allowed, and neither is stream_options: one reply in one piece', async () => {
    const server = await serve((body, _, response) => {
      if (body.stream_options !== undefined)
        return refuse(response, { message: 'Unrecognized request argument supplied: stream_options' }, 422);
      if (body.stream === true)
        return refuse(response, {
          message: 'Your organization must be verified to stream',
          param: 'stream',
          code: 'unsupported_value',
        });
      response.writeHead(200, { 'content-type': 'application/json' }).end(whole('three'));
    });
    const outcome = await call(at(server));
    expect(outcome).toMatchObject({
      reply: { text: 'three', finishReason: 'stop', usage: { inputTokens: 12, outputTokens: 3, estimated: false } },
      attempts: 3,
    });
  });

  test('an endpoint that refuses everything: four changes at most, then its own words', async () => {
    const server = await serve((body, _, response) => {
      const [parameter] = Object.keys(body).filter((name) => name !== 'model' && name !== 'messages');
      refuse(response, { message: `Unknown parameter: ${parameter ?? 'messages'}`, param: parameter });
    });
    const { error, attempts } = await call(at(server));
    expect(error).toMatchObject({ code: 'bad-request', retryable: false });
    expect(error?.message).toContain('Unknown parameter');
    expect(attempts).toBeLessThanOrEqual(5);
  });

  test('vLLM with a window of 8192: asked again with what the prompt leaves', async () => {
    const server = await serve((body, _, response) => {
      const asked = Number(body.max_tokens);
      if (asked <= 7_192) return stream(response, [{ content: 'three' }]);
      refuse(response, {
        message: `This model's maximum context length is 8192 tokens. However, you requested ${asked + 1000} tokens (1000 in the messages, ${asked} in the completion).`,
      });
    });
    const model = at(server);
    expect(await call(model, { prompt: 'word '.repeat(800) })).toMatchObject({ reply: { text: 'three' }, attempts: 2 });
    expect(Number(server.bodies[1]?.max_tokens)).toBeGreaterThan(4_000);
    expect(await call(model, { prompt: 'word '.repeat(800) })).toMatchObject({ attempts: 1 });
  });

  test('a maximum of 4096 output tokens is learned from the error', async () => {
    const server = await serve((body, _, response) => {
      if (Number(body.max_tokens) <= 4_096) return stream(response, [{ content: 'three' }]);
      refuse(response, {
        message: 'max_tokens is too large: 16384. This model supports at most 4096 completion tokens',
        param: 'max_tokens',
      });
    });
    expect(await call(at(server))).toMatchObject({ reply: { text: 'three' }, attempts: 2 });
    expect(server.bodies[1]).toMatchObject({ max_tokens: 4_096 });
  });

  test('a hundred calls at once learn it together, and none fails', async () => {
    const server = await serve((body, _, response) => {
      if (body.max_tokens === undefined) return stream(response, [{ content: 'three' }]);
      refuse(response, {
        message: "Unsupported parameter: 'max_tokens'",
        param: 'max_tokens',
        code: 'unsupported_parameter',
      });
    });
    const model = at(server);
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => call(model)));
    expect(outcomes.filter(({ reply }) => reply?.text === 'three')).toHaveLength(100);
  });
});

describe('replies as servers really send them', () => {
  test.each([
    ['chat.completion, whatever was asked for', whole('FINAL(1)'), 'FINAL(1)'],
    [
      'with reasoning',
      whole('', { choices: [{ message: { content: 'x', reasoning_content: 'hm' }, finish_reason: 'stop' }] }),
      'x',
    ],
    ['pretty-printed with a byte order mark', `\uFEFF${JSON.stringify(JSON.parse(whole('x')), null, 2)}`, 'x'],
  ])('a whole JSON body: %s', async (_, body, text) => {
    const server = await serve(
      (_body, _request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(body),
    );
    expect(await call(at(server))).toMatchObject({ reply: { text }, attempts: 1 });
  });

  test.each(['error', 'network_error', 'abort', 'aborted', 'timeout', 'insufficient_system_resource'])(
    'the finish reason %s means broken off: retried, possibly billed',
    async (finish) => {
      let sent = 0;
      const server = await serve((_body, _request, response) => {
        stream(response, [{ content: sent++ === 0 ? 'FINAL(12' : 'FINAL(123)' }], {
          finish: sent === 1 ? finish : 'stop',
        });
      });
      expect(await call(at(server))).toMatchObject({ reply: { text: 'FINAL(123)' }, attempts: 2 });
    },
  );

  test('an error object beside a good finish reason, and a native reason that only informs', async () => {
    for (const choice of [
      { error: { code: 502, message: 'Upstream died' } },
      { native_finish_reason: 'network_error' },
    ]) {
      let sent = 0;
      const server = await serve((_body, _request, response) =>
        stream(response, [{ content: sent === 0 ? 'half' : 'whole' }], { choice: sent++ === 0 ? choice : {} }),
      );
      expect(await call(at(server))).toMatchObject({ reply: { text: 'whole' }, attempts: 2 });
    }
  });

  test('an unknown reason at the end of a whole stream is an end, and is reported', async () => {
    const server = await serve((_body, _request, response) =>
      stream(response, [{ content: 'x' }], { finish: 'eos_token' }),
    );
    const { reply } = await call(at(server));
    expect(reply?.notices?.[0]).toMatchObject({ kind: 'unknown-finish-reason' });
    expect(reply?.notices?.[0]?.message).toContain("'eos_token'");
  });

  test('only reasoning: an error that has the text at hand, and no second payment', async () => {
    const server = await serve((_body, _request, response) => stream(response, [{ reasoning: 'VAULT-77' }]));
    const { error, attempts } = await call(at(server));
    expect(error).toMatchObject({ fault: 'empty', retryable: false, data: { reasoning: 'VAULT-77' } });
    expect(attempts).toBe(1);
  });

  test('a call of a tool that was not offered comes out as a tool call', async () => {
    const tool_calls = [
      { index: 0, id: 'c1', type: 'function', function: { name: 'python', arguments: '{"code": "print(1)"}' } },
    ];
    const server = await serve((_body, _request, response) =>
      stream(response, [{ tool_calls }], { finish: 'tool_calls' }),
    );
    const { reply } = await call(at(server));
    expect(reply).toMatchObject({ text: '', toolCalls: [{ name: 'python', arguments: '{"code": "print(1)"}' }] });
  });

  test('the reason behind "Provider returned error" is in the message', async () => {
    const server = await serve((_body, _request, response) => {
      refuse(response, {
        message: 'Provider returned error',
        code: 400,
        metadata: {
          raw: '{"error":{"message":"Invalid upstream key","code":"invalid_api_key"}}',
          provider_name: 'Chutes',
        },
      });
    });
    const { error } = await call(at(server));
    expect(error?.message).toContain('Invalid upstream key');
    expect(error?.message).toContain('Chutes');
    expect(error?.fault).toBe('key');
  });
});
