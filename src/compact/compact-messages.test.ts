import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelMessage } from 'ai';
import { modelMessageSchema } from 'ai';
import { describe, expect, it, onTestFinished } from 'vitest';
import { compactionSizes, compactMessages, fileParts, memoryParts, type PartStore, readPart } from './index.ts';

const SYSTEM: ModelMessage = { role: 'system', content: 'You are an agent.' };
const QUESTION: ModelMessage = { role: 'user', content: 'Find the leak in the logs.' };

/** A step of an agent: a call of a tool and its output of about `tokens` tokens. */
function step(number: number, tokens = 2_000): ModelMessage[] {
  const toolCallId = `call-${number}`;
  return [
    {
      role: 'assistant',
      content: [
        { type: 'text', text: `Looking at log ${number}.` },
        { type: 'tool-call', toolCallId, toolName: 'bash', input: { command: `cat ${number}.log` } },
      ],
    },
    {
      role: 'tool',
      content: [
        {
          type: 'tool-result',
          toolCallId,
          toolName: 'bash',
          output: { type: 'text', value: `log ${number}: ${'abc '.repeat(tokens - 5)} end ${number}` },
        },
      ],
    },
  ];
}

const conversation = (steps: number, tokens?: number): ModelMessage[] => [
  SYSTEM,
  QUESTION,
  ...Array.from({ length: steps }, (_, index) => step(index + 1, tokens)).flat(),
];

/** Every call of a tool is directly followed by its result, as providers demand. */
function expectWhole(messages: readonly ModelMessage[]): void {
  for (const message of messages) expect(modelMessageSchema.safeParse(message).success).toBe(true);
  const calls = messages.flatMap(({ role, content }) =>
    role === 'assistant' && typeof content !== 'string'
      ? content.flatMap((part) => (part.type === 'tool-call' ? [part.toolCallId] : []))
      : [],
  );
  const results = messages.flatMap(({ role, content }) =>
    role === 'tool' ? content.flatMap((part) => (part.type === 'tool-result' ? [part.toolCallId] : [])) : [],
  );
  expect(results).toEqual(calls);
}

const textOf = (messages: readonly ModelMessage[]): string => JSON.stringify(messages);

async function everyPart(parts: PartStore, text: string): Promise<string> {
  const handles = [...new Set([...text.matchAll(/part_[0-9a-f]{24}/g)].map(([handle]) => handle))];
  return (await Promise.all(handles.map((handle) => parts.get(handle)))).join('\n');
}

describe('compactMessages', () => {
  it('leaves a conversation alone that is far from its window', async () => {
    const messages = conversation(3);
    const compacted = await compactMessages({ messages, window: 128_000, parts: memoryParts() });
    expect(compacted.messages).toBe(messages);
    expect(compacted.events).toEqual([]);
  });

  it('drops old outputs first, keeps each readable, and keeps the newest', async () => {
    const parts = memoryParts();
    const messages = conversation(12);
    const { messages: left, events, tokensAfter } = await compactMessages({ messages, window: 32_000, parts });
    expect(tokensAfter).toBeLessThanOrEqual(compactionSizes(32_000).target);
    expect(left).toHaveLength(messages.length);
    expect(left.slice(0, 2)).toEqual([SYSTEM, QUESTION]);
    expect(left.slice(-6)).toEqual(messages.slice(-6));
    expectWhole(left);
    expect(events).toEqual([{ type: 'context.compacted', outputs: expect.any(Array), messages: 0 }]);
    const outputs = events.flatMap((event) => ('outputs' in event ? event.outputs : []));
    for (const [index, handle] of outputs.entries()) {
      expect(textOf(left)).toContain(handle);
      expect(await parts.get(handle)).toContain(`end ${index + 1}`);
    }
  });

  it('summarises what is left of old steps, and cuts it where no summary can be had', async () => {
    const thoughts = (number: number): ModelMessage[] => [
      { role: 'assistant', content: `Thought ${number}. ${'so '.repeat(3_000)}` },
      { role: 'user', content: `Continue with ${number}.` },
    ];
    const messages = [SYSTEM, QUESTION, ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].flatMap(thoughts)];
    const parts = memoryParts();
    let transcript = '';
    const summarise = async (text: string): Promise<string> => {
      transcript = text;
      return 'Eight logs were read.';
    };
    const { messages: left, events } = await compactMessages({ messages, window: 32_000, parts, summarise });
    expect(left.slice(0, 2)).toEqual([SYSTEM, QUESTION]);
    expect(left.at(-1)).toEqual(messages.at(-1));
    expect(textOf(left)).toContain('Eight logs were read.');
    expect(transcript).toContain('Thought 1.');
    expect(events.at(-1)).toMatchObject({ type: 'context.compacted', outputs: [] });
    expect(await everyPart(parts, textOf(left))).toContain('Thought 1.');

    const failing = async (): Promise<string> => {
      throw new Error('no quota');
    };
    const cut = await compactMessages({ messages, window: 32_000, parts, summarise: failing });
    expect(cut.events.map(({ type }) => type)).toEqual(['context.compaction-failed', 'context.truncated']);
    expect(cut.tokensAfter).toBeLessThanOrEqual(compactionSizes(32_000).trigger);
  });

  it('takes the count of the provider where it is higher than the estimate', async () => {
    const messages = conversation(6);
    const parts = memoryParts();
    expect((await compactMessages({ messages, window: 32_000, parts })).events).toEqual([]);
    expect((await compactMessages({ messages, window: 32_000, used: 24_000, parts })).events).not.toEqual([]);
  });

  it('shortens newest outputs that do not fit by themselves', async () => {
    const parts = memoryParts();
    const {
      messages: left,
      events,
      tokensAfter,
    } = await compactMessages({
      messages: conversation(2, 40_000),
      window: 32_000,
      parts,
    });
    expect(tokensAfter).toBeLessThanOrEqual(compactionSizes(32_000).trigger);
    expect(events.at(-1)).toMatchObject({ type: 'context.truncated' });
    expect(textOf(left)).toContain('shortened to save room');
    expect(await everyPart(parts, textOf(left))).toContain('end 2');
    expectWhole(left);
  });

  it('stays within the window over 200 steps, compacts nothing twice, and loses nothing', async () => {
    const parts = memoryParts();
    let messages: readonly ModelMessage[] = [SYSTEM, QUESTION];
    const outputs: string[] = [];
    let compactions = 0;
    for (let number = 1; number <= 200; number++) {
      const compacted = await compactMessages({
        messages: [...messages, ...step(number)],
        window: 32_000,
        parts,
        summarise: async (text) => `Summary of ${text.length} characters.`,
      });
      messages = compacted.messages;
      if (compacted.events.length > 0) compactions += 1;
      outputs.push(...compacted.events.flatMap((event) => ('outputs' in event ? event.outputs : [])));
      expect(compacted.tokensAfter).toBeLessThanOrEqual(compactionSizes(32_000).trigger);
      expectWhole(messages);
    }
    expect(compactions).toBeGreaterThan(10);
    expect(compactions).toBeLessThan(80);
    expect(new Set(outputs).size).toBe(outputs.length);
    expect(messages.slice(0, 2)).toEqual([SYSTEM, QUESTION]);
    // Every output can be reached from the conversation, by handles in it or in the parts they name.
    let reached = textOf(messages);
    for (let hop = 0; hop < 6; hop++) reached += await everyPart(parts, reached);
    for (const number of [1, 2, 50, 120, 199]) expect(reached).toContain(`end ${number}`);
  });

  it('refuses a window that is not a size', async () => {
    await expect(compactMessages({ messages: [], window: 0, parts: memoryParts() })).rejects.toMatchObject({
      code: 'invalid-option',
    });
  });
});

describe('stored parts', () => {
  it('are read by page, without cutting a character in two', async () => {
    const parts = memoryParts();
    const text = '😀'.repeat(1_000);
    const handle = await parts.put(text);
    const pages: string[] = [];
    let offset: number | undefined = 0;
    while (offset !== undefined) {
      const page: Awaited<ReturnType<typeof readPart>> = await readPart(parts, { handle, offset, maxChars: 333 });
      pages.push(page.text);
      expect(page.text.isWellFormed()).toBe(true);
      offset = page.nextOffset;
    }
    expect(pages.join('')).toBe(text);
    await expect(readPart(parts, { handle: 'part_0' })).rejects.toMatchObject({ code: 'invalid-option' });
    await expect(readPart(parts, { handle, offset: -1 })).rejects.toMatchObject({ code: 'invalid-option' });
  });

  it('outlive their process as private files, and a handle names nothing else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fathom-parts-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const handle = await fileParts(folder).put('a text');
    expect(await fileParts(folder).get(handle)).toBe('a text');
    expect((await stat(join(folder, `${handle}.txt`))).mode & 0o777).toBe(0o600);
    expect(await fileParts(folder).get('../../etc/passwd')).toBeUndefined();
    expect(await fileParts(folder).get(`part_${'0'.repeat(24)}`)).toBeUndefined();
  });
});
