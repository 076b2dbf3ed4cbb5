/** The guard as middleware of an agent's model. */
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import { generateText, jsonSchema, stepCountIs, tool, wrapLanguageModel } from 'ai';
import { describe, expect, it } from 'vitest';
import { guardMiddleware } from '../../src/guard/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { guardOf, outputOf, summariser, WINDOW } from '../engine/guarded.ts';

describe('as middleware of the AI SDK', () => {
  it('replaces outputs in the calls of an agent, and delivers the summary in a later one', async () => {
    const { guard } = guardOf(summariser());
    const seen: string[] = [];
    const call = (toolName: string, id: string) => ({
      type: 'tool-call' as const,
      toolCallId: id,
      toolName,
      input: '{}',
    });
    const usage = {
      inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: 1, text: 1, reasoning: 0 },
    };
    const steps = [
      [call('get_logs', '1'), call('read', '2')],
      [call('wait', '3')],
      [{ type: 'text' as const, text: 'done' }],
    ];
    const agent = wrapLanguageModel({
      model: {
        ...scriptedModel([]),
        async doGenerate({ prompt }: LanguageModelV4CallOptions) {
          seen.push(JSON.stringify(prompt));
          const content = steps[seen.length - 1] ?? [];
          const unified = seen.length < 3 ? ('tool-calls' as const) : ('stop' as const);
          return { content, finishReason: { unified, raw: undefined }, usage, warnings: [] };
        },
      },
      middleware: guardMiddleware(guard, { window: WINDOW }),
    });
    const returning = (execute: () => Promise<string>) =>
      tool({ description: 'x', inputSchema: jsonSchema<object>({ type: 'object' }), execute });
    const { text } = await generateText({
      model: agent,
      prompt: 'Look at the logs.',
      stopWhen: stepCountIs(5),
      tools: {
        get_logs: returning(async () => outputOf('logs')),
        read: returning(async () => outputOf('file')),
        wait: returning(async () => {
          await guard.idle();
          return 'waited';
        }),
      },
    });
    expect(text).toBe('done');
    expect(seen[1]).toContain('is being made and arrives separately');
    expect(seen[1]).toContain('are left out here');
    expect(seen[1]?.length).toBeLessThan(20_000);
    expect(seen[2]).toContain('It begins with: first line of logs');
    expect(seen[2]).toContain('waited');
  });
});
