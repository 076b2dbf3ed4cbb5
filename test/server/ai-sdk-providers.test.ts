/** The providers of the AI SDK against the server. */
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, type LanguageModel, Output, streamText } from 'ai';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cell } from '../engine/harness.ts';
import { final, KEY, serve, until } from './harness.ts';

const MODELS: readonly (readonly [string, (baseURL: string) => LanguageModel])[] = [
  ['@ai-sdk/openai, responses', (baseURL) => createOpenAI({ baseURL, apiKey: KEY }).responses('fathom')],
  ['@ai-sdk/openai, chat', (baseURL) => createOpenAI({ baseURL, apiKey: KEY }).chat('fathom')],
  [
    '@ai-sdk/openai-compatible',
    (baseURL) =>
      createOpenAICompatible({
        ...{ name: 'fathom', baseURL, apiKey: KEY, includeUsage: true, supportsStructuredOutputs: true },
      })('fathom'),
  ],
];

describe.each(MODELS)('%s', (name, make) => {
  it('generates a text with usage', async () => {
    const { server } = await serve({ respond: () => final('a whale') });
    const { text, usage, finishReason } = await generateText({
      model: make(`${server.url}/v1`),
      prompt: 'What is it?',
    });
    expect({ text, finishReason }).toEqual({ text: 'a whale', finishReason: 'stop' });
    expect(usage.inputTokens).toBeGreaterThan(0);
  });

  it('streams reasoning and the answer', async () => {
    const { server } = await serve({ respond: ({ index }) => (index === 0 ? cell('print(1 + 1)') : final('two')) });
    const { stream, usage } = streamText({ model: make(`${server.url}/v1`), prompt: 'What is 1 + 1?' });
    let text = '';
    let reasoning = '';
    for await (const part of stream) {
      if (part.type === 'text-delta') text += part.text;
      if (part.type === 'reasoning-delta') reasoning += part.text;
      if (part.type === 'error') throw part.error;
    }
    expect(text).toBe('two');
    // The chat provider of OpenAI knows no reasoning in deltas.
    if (name !== '@ai-sdk/openai, chat') expect(reasoning).toContain('print(1 + 1)');
    expect((await usage).outputTokens).toBeGreaterThan(0);
  });

  it('generates an object', async () => {
    const { server } = await serve({ respond: () => 'FINAL({"name": "Ahab"})' });
    const { output } = await generateText({
      model: make(`${server.url}/v1`),
      prompt: 'Who is it?',
      output: Output.object({ schema: z.object({ name: z.string() }) }),
    });
    expect(output).toEqual({ name: 'Ahab' });
  });

  it('aborts its run', async () => {
    const { server, mock, rlm } = await serve({ respond: () => ({ text: final('x'), latencyMs: 60_000 }) });
    const controller = new AbortController();
    const asked = generateText({
      model: make(`${server.url}/v1`),
      prompt: 'go',
      abortSignal: controller.signal,
      maxRetries: 0,
    });
    asked.catch(() => undefined);
    await until(() => mock.inFlight === 1, 'the run is at work');
    controller.abort();
    await expect(asked).rejects.toThrow();
    await until(() => rlm.status().runs === 0 && mock.inFlight === 0, 'the run has ended');
  });

  it('gets the code of a refusal, and tries again where it may', async () => {
    const { server } = await serve({ respond: () => ({ text: final('x') }), server: { limits: { bodyBytes: 10 } } });
    const asked = generateText({ model: make(`${server.url}/v1`), prompt: 'go', maxRetries: 0 });
    await expect(asked).rejects.toMatchObject({ statusCode: 413, isRetryable: false });
  });
});
