import type { LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { describe, expect, test } from 'vitest';
import { fakeClock, scriptedModel } from '../test.ts';

const prompt = [
  { role: 'system' as const, content: 'Be brief.' },
  { role: 'user' as const, content: [{ type: 'text' as const, text: 'Hello' }] },
];

describe('scriptedModel', () => {
  test('answers from a list, through doGenerate and doStream alike, and remembers what it was asked', async () => {
    const model = scriptedModel(['one', { text: 'two', reasoning: 'hm', usage: { inputTokens: 5, outputTokens: 6 } }], {
      modelId: 'm',
    });
    const first = await model.doGenerate({ prompt, maxOutputTokens: 7 });
    expect(first.content).toEqual([{ type: 'text', text: 'one' }]);
    const { stream } = await model.doStream({ prompt });
    const parts: LanguageModelV4StreamPart[] = [];
    for await (const part of stream) parts.push(part);
    expect(parts.map(({ type }) => type)).toEqual([
      'stream-start',
      'reasoning-start',
      'reasoning-delta',
      'reasoning-end',
      'text-start',
      'text-delta',
      'text-end',
      'finish',
    ]);
    expect(parts.at(-1)).toMatchObject({ finishReason: { unified: 'stop' }, usage: { inputTokens: { total: 5 } } });
    expect(model.requests[0]).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
      ],
      prompt: 'Hello',
      callIndex: 0,
      maxOutputTokens: 7,
    });
    await expect(model.doStream({ prompt })).rejects.toThrow(
      "The scripted model 'm' has 2 replies and was called 3 times.",
    );
  });

  test('answers from a function; errors given or thrown fail the call', async () => {
    const model = scriptedModel(({ prompt: text, callIndex }) => {
      if (callIndex === 1) throw new Error('thrown');
      return callIndex === 2 ? new Error('given') : `You said ${text}`;
    });
    expect((await model.doGenerate({ prompt })).content).toEqual([{ type: 'text', text: 'You said Hello' }]);
    await expect(model.doGenerate({ prompt })).rejects.toThrow('thrown');
    await expect(model.doGenerate({ prompt })).rejects.toThrow('given');
  });

  test('its latency ends when the call is aborted', async () => {
    const model = scriptedModel(['late'], { latencyMs: 60_000 });
    const control = new AbortController();
    const call = model.doStream({ prompt, abortSignal: control.signal });
    control.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  });
});

describe('fakeClock', () => {
  test('runs what becomes due in order, and what that schedules', async () => {
    const clock = fakeClock(1_000);
    const seen: string[] = [];
    clock.schedule(20, () => seen.push(`b at ${clock.now()}`));
    clock.schedule(10, () => {
      seen.push(`a at ${clock.now()}`);
      void Promise.resolve().then(() => clock.schedule(5, () => seen.push(`c at ${clock.now()}`)));
    });
    const cancel = clock.schedule(15, () => seen.push('never'));
    cancel();
    expect(clock.nextInMs).toBe(10);
    await clock.advance(20);
    expect(seen).toEqual(['a at 1010', 'c at 1015', 'b at 1020']);
    expect(clock.now()).toBe(1_020);
    expect(clock.pending).toBe(0);
  });
});
