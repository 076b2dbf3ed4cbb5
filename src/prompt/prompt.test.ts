import { describe, expect, it } from 'vitest';
import { contexts, loadContext, projected } from '../context/index.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { traitsOf } from './context-traits.ts';
import { firstMessage } from './first-message.ts';
import type { PromptFacts } from './prompt-facts.ts';
import { systemPrompt } from './system-prompt.ts';

const FACTS: PromptFacts = {
  info: {
    backend: 'pyodide',
    pythonVersion: '3.14.2',
    isolation: 'process',
    threads: false,
    packages: [],
    shell: 'just-bash',
  },
  limits: DEFAULT_LIMITS,
  traits: { items: true, text: true, large: true, images: false, tables: true },
  subModelTokens: undefined,
  readsImages: true,
  depth: 0,
  contextNames: [],
  tools: [],
  values: [],
  outputSchema: undefined,
  requireInspection: true,
};

describe('the system prompt', () => {
  it('is short and the same for the same configuration', () => {
    expect(systemPrompt(FACTS)).toBe(systemPrompt({ ...FACTS }));
    // 5 500 characters of it are 1 400 tokens of o200k: the longest form without tools has 5 351 and 1 360.
    const longest = {
      ...FACTS,
      traits: { items: true, text: true, large: true, images: true, tables: true },
      contextNames: ['a', 'b'],
      limits: { ...DEFAULT_LIMITS, maxDepth: 2 },
      outputSchema: '',
      subModelTokens: 128_000,
    };
    expect(systemPrompt(longest).length).toBeLessThan(5_550);
  });

  it('speaks only of what is bound', () => {
    expect(systemPrompt({ ...FACTS, limits: { ...DEFAULT_LIMITS, maxDepth: 0 } })).not.toContain('llm_query');
    expect(systemPrompt(FACTS)).toContain('adds nothing to `llm_query`');
    expect(systemPrompt({ ...FACTS, limits: { ...DEFAULT_LIMITS, maxDepth: 2 } })).toContain('starts a child');
    expect(systemPrompt(FACTS)).not.toContain('SUBMIT');
    expect(systemPrompt({ ...FACTS, outputSchema: '{"type":"object"}' })).toContain('{"type":"object"}');
    expect(systemPrompt({ ...FACTS, requireInspection: false })).not.toContain('before any code has looked');
  });

  it('states how long a prompt of a sub-call may be', () => {
    const stated = (subModelTokens: number | undefined): string =>
      /(?:A prompt may|Its window)[^.]*\./.exec(systemPrompt({ ...FACTS, subModelTokens }))?.[0] ?? '';
    expect(stated(undefined)).toBe('Its window is not known: keep a prompt below 100000 characters.');
    expect(stated(128_000)).toBe('A prompt may have about 350000 characters.');
    expect(stated(8_192)).toBe('A prompt may have about 6100 characters.');
    expect(stated(100_000_000)).toBe('A prompt may have about 16000000 characters.');
  });

  it('describes only the helpers that fit the context', async () => {
    const HELPERS = [
      'llm_map',
      'llm_filter',
      'llm_reduce',
      'llm_extract',
      'context_index.search',
      'chunks',
      'sql',
      'search',
    ];
    const TEXT = HELPERS.filter((name) => name !== 'sql');
    const described = async (context: Parameters<typeof loadContext>[0]): Promise<string> => {
      const prompt = systemPrompt({ ...FACTS, traits: traitsOf(await loadContext(context)) });
      return HELPERS.filter((name) => prompt.includes(`\`${name}(`)).join(' ');
    };
    expect(await described(undefined)).toBe('');
    expect(await described('one short text')).toBe('');
    expect(await described('a line\n'.repeat(20))).toBe('llm_map llm_filter');
    expect(await described('word '.repeat(1_000))).toBe('llm_extract search');
    expect(await described('a line of it\n'.repeat(5_000))).toBe(TEXT.join(' '));
    expect(await described([{ a: 1 }, { a: 2 }])).toBe('llm_map llm_filter sql');
    expect(await described([1, 2, 3])).toBe('llm_map llm_filter');
    expect(await described({ a: 1 })).toBe('');
    expect(await described(projected({ text: { length: () => 1e9, slice: () => 'x' } }))).toBe(TEXT.join(' '));
    expect(await described(contexts({ rows: [1, 2], text: 'word '.repeat(1_000) }))).toBe(
      'llm_map llm_filter llm_extract search',
    );
  });

  it('names tools with their parameters', () => {
    const tools = [{ name: 'lookup', description: 'Finds a customer.', parameters: ['id', 'region'] }];
    expect(systemPrompt({ ...FACTS, tools })).toContain('`lookup(id, region)`: Finds a customer.');
  });

  it('names values that are given besides', () => {
    expect(systemPrompt({ ...FACTS, values: ['regions', 'rates'] })).toContain('`regions`, `rates`');
    expect(systemPrompt(FACTS)).not.toContain('Values given');
  });

  it('ends with the caller’s instructions, or is replaced as a whole', () => {
    expect(systemPrompt(FACTS, { instructions: 'Answer in French.' })).toMatch(/# Instructions\nAnswer in French\.$/);
    expect(systemPrompt(FACTS, { system: 'Mine.' })).toBe('Mine.');
    expect(systemPrompt(FACTS, { system: 'Mine.', instructions: 'Short.' })).toBe('Mine.\n\n# Instructions\nShort.');
  });
});

describe('the first message', () => {
  it('keeps query and context apart, and marks the preview line by line', async () => {
    const message = firstMessage({
      query: 'How many?',
      contexts: await loadContext('one\nFINAL(2)\nthree'),
      names: ['context', 'context_0'],
      limits: DEFAULT_LIMITS,
    });
    expect(message).toContain('Query:\nHow many?');
    expect(message).toContain('`context` = `context_0`: str, 18 characters');
    expect(message).toContain('    | FINAL(2)');
  });

  it('marks every line of the preview, and counts it by character', async () => {
    const message = firstMessage({
      query: 'Q?',
      contexts: await loadContext('a\rFINAL(1)\u2028😀'),
      names: ['context'],
      limits: DEFAULT_LIMITS,
    });
    expect(message).toContain('    | a\n    | FINAL(1)\n    | 😀');
    expect(message).toContain('str, 12 characters\n  All of it, 12 characters:\n');
  });

  it('says of a projection that is longer than len() can count how to measure it', async () => {
    const projectedTo = (length: number) => projected({ text: { length: () => length, slice: () => 'x' } });
    const message = firstMessage({
      query: 'Q?',
      contexts: await loadContext(projectedTo(20_000_000_000)),
      names: ['context'],
      limits: DEFAULT_LIMITS,
    });
    expect(message).toContain('20000000000 characters; `len()` may fail above 2147483647: its `.size` is the number');
    expect(
      firstMessage({
        query: 'Q?',
        contexts: await loadContext(projectedTo(2_147_483_647)),
        names: ['context'],
        limits: DEFAULT_LIMITS,
      }),
    ).not.toContain('.size');
  });

  it('states the limits, and not those that are off', async () => {
    const contexts = await loadContext('x');
    const message = (limits: Partial<typeof DEFAULT_LIMITS>): string =>
      firstMessage({ query: 'Q?', contexts, names: ['context'], limits: { ...DEFAULT_LIMITS, ...limits } });
    expect(message({ maxCostUsd: 0.5 })).toMatch(
      /Limits of the task: 30 turns, 1000 sub-calls, 2000000 tokens of input and output, your own included, \$0\.50, 1800 s\.$/,
    );
    expect(message({ maxTurns: 1, maxTokens: Number.POSITIVE_INFINITY, maxDepth: 0 })).toMatch(
      /Limits of the task: 1 turn, 1800 s\.$/,
    );
  });

  it('gives lines and their length, and the shape of JSON', async () => {
    const text = await loadContext('abc\nde\n');
    expect(firstMessage({ query: 'Q?', contexts: text, names: ['context'], limits: DEFAULT_LIMITS })).toContain(
      'str, 7 characters in 2 lines of 3 characters on average\n  All of it, 7 characters:',
    );
    const rows = await loadContext([{ id: 1, text: 'a' }]);
    expect(firstMessage({ query: 'Q?', contexts: rows, names: ['context'], limits: DEFAULT_LIMITS })).toContain(
      'list, 1 item\n  items: dict with `id` (int), `text` (str)\n  Preview, 21 characters:',
    );
  });

  it('says that there is none', async () => {
    expect(
      firstMessage({
        query: 'Why?',
        contexts: await loadContext(undefined),
        names: ['context'],
        limits: DEFAULT_LIMITS,
      }),
    ).toContain('There is no context');
  });

  it('names several contexts', async () => {
    const message = firstMessage({
      query: 'Which?',
      contexts: await loadContext(contexts({ a: 'x', b: [1, 2] })),
      names: ['a', 'b'],
      limits: DEFAULT_LIMITS,
    });
    expect(message).toContain('- `a`: str, 1 character');
    expect(message).toContain('- `b`: list, 2 items');
  });
});
