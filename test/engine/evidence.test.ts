/** Answers with citations, checked against the context. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type CompletionRequest, createRlm, memoryStore, projected, type RunEvent } from '../../src/index.ts';
import { whyNoPythonBackend } from '../../src/repl/python/testing.ts';
import { scriptedModel } from '../../src/test.ts';
import { startMockProvider } from '../mock-provider/index.ts';
import { onEachBackend } from '../session/on-each-backend.ts';
import { cell, play, playToFailure, rlmOf } from './harness.ts';

/** A generator of random numbers from 0 to 1: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const NAMES = ['Ada', 'Björn', 'Chen', 'Dora', 'Émile', 'Farid'];
const DOCUMENTS = Object.fromEntries(
  NAMES.map((name, doc) => [
    `${name.toLowerCase()}.txt`,
    Array.from(
      { length: 30 },
      (_, line) => `On day ${line + 1}, ${name} sold ${(doc + 2) * (line + 7)} well-made chairs 😀 to shop ${line}.`,
    ).join('\n'),
  ]),
);

type Kind = 'true' | 'shifted' | 'cased' | 'altered' | 'invented';
const STATUS = {
  true: 'found',
  shifted: 'found',
  cased: 'moved',
  altered: 'not-found',
  invented: 'not-found',
} as const;

/** A citation of a kind, as a model would give it. */
function citation(kind: Kind, random: () => number) {
  const names = Object.keys(DOCUMENTS);
  const document = names[Math.floor(random() * names.length)] ?? '';
  const text = DOCUMENTS[document] ?? '';
  const lines = text.split('\n');
  const line = lines[Math.floor(random() * lines.length)] ?? '';
  const start = [...text.slice(0, text.indexOf(line))].length;
  const end = start + [...line].length;
  switch (kind) {
    case 'true':
      return { document, start, end, quote: line };
    case 'shifted':
      return { document, start: start + 40, end: end + 40, quote: line };
    case 'cased':
      return {
        document,
        start,
        end,
        quote: line.toUpperCase().replace('WELL-MADE', 'WELL-\nMADE').replaceAll(' ', '  '),
      };
    case 'altered':
      return { document, start, end, quote: line.replace(/sold \d+/, (sold) => `${sold}1`) };
    case 'invented':
      return { document, start, end, quote: `${document} never sold a single table on day ${start}.` };
  }
}

const KINDS: readonly Kind[] = ['true', 'shifted', 'cased', 'altered', 'invented'];

/** The host checks the quotes: the embedded REPL, which takes longer, plays some of the answers where the native one plays all. */
const playsAll = process.env.FATHOM_SOAK !== undefined || (await whyNoPythonBackend()) !== undefined;

await onEachBackend(({ name, repl }) => {
  const answers = name === 'python' || playsAll ? 50 : 12;
  it(`${answers} answers with true, altered and invented quotes get the right verdict`, {
    timeout: 400_000,
  }, async () => {
    const random = randomFrom(7);
    const cases = Array.from({ length: answers }, (_, index) => {
      const pool = index % 3 === 0 ? KINDS.slice(0, 3) : index % 3 === 1 ? KINDS.slice(3) : KINDS;
      return Array.from(
        { length: 1 + Math.floor(random() * 4) },
        () => pool[Math.floor(random() * pool.length)] ?? 'true',
      );
    });
    const verdicts = new Map<string, number>();
    await using rlm = createRlm({
      repl,
      model: scriptedModel(({ messages, prompt }) => {
        const index = Number(/Case (\d+)/.exec(messages[1]?.content ?? '')?.[1]);
        const kinds = cases[index] ?? [];
        const own = randomFrom(1_000 + index);
        const citations = kinds.map((kind) => citation(kind, own));
        // The same citations again where they are refused: the second answer is taken.
        expect(prompt).not.toBe('');
        return cell(`FINAL(${JSON.stringify({ answer: `answer ${index}`, citations })})`);
      }),
    });
    const results = await rlm.map({
      queries: cases.map((_, index) => `Case ${index}`),
      context: DOCUMENTS,
      evidence: 'cite',
      concurrency: 2,
    });
    for (const item of results.items) {
      const kinds = cases[item.index] ?? [];
      const statuses = kinds.map((kind) => STATUS[kind]);
      const present = statuses.filter((status) => status !== 'not-found').length;
      const verdict = present === 0 ? 'unverified' : present === statuses.length ? 'verified' : 'partly';
      if (!item.ok) throw item.error;
      const { evidence, text, turns } = item.result;
      expect({ index: item.index, text, verdict: evidence?.verdict }).toEqual({
        index: item.index,
        text: `answer ${item.index}`,
        verdict,
      });
      expect(evidence?.citations.map(({ status }) => status)).toEqual(statuses);
      expect(turns).toBe(verdict === 'verified' ? 1 : 2);
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
      for (const { document, start, end, quote, status } of evidence?.citations ?? []) {
        if (status === 'found') expect([...(DOCUMENTS[document] ?? '')].slice(start, end).join('')).toBe(quote);
      }
    }
    expect([...verdicts.keys()].sort()).toEqual(['partly', 'unverified', 'verified']);
    for (const count of verdicts.values()) expect(count).toBeGreaterThanOrEqual(Math.floor(answers / 8));
  });
});

const CONTEXT = 'The butler left at 10:45. The cook saw him at the gate.';
const cited = (answer: unknown, ...quotes: string[]): string =>
  cell(`FINAL(${JSON.stringify({ answer, citations: quotes.map((quote) => ({ quote })) })})`);

describe('evidence', () => {
  it('gets one repair turn that names the quotes, and the record keeps the verdict', async () => {
    const store = memoryStore();
    const { result, events, root } = await play({
      context: CONTEXT,
      evidence: 'cite',
      options: { store },
      root: [cited('the cook', 'The cook did it himself.'), cited('the butler', 'the Butler left at 10:45')],
    });
    expect(result).toMatchObject({
      answer: 'the butler',
      text: 'the butler',
      evidence: { verdict: 'verified', citations: [{ document: 'context', status: 'moved', start: 0, end: 24 }] },
    });
    expect(root.requests[1]?.prompt).toContain('1 of 1 citations are not in the context: "The cook did it himself."');
    expect(events.filter(({ type }) => type === 'evidence.checked')).toMatchObject([{ verdict: 'verified' }]);
    expect((await store.runs.get(result.runId))?.result?.evidence?.verdict).toBe('verified');
    expect((await store.runs.get(result.runId))?.request.evidence).toBe('cite');
  });

  it('keeps the type of the answer', async () => {
    const { result } = await play<{ who: string }>({
      context: CONTEXT,
      evidence: 'cite',
      output: z.object({ who: z.string() }),
      root: [cited({ name: 'butler' }, 'The butler left'), cited({ who: 'butler' }, 'The butler left')],
    });
    expect(result.answer).toEqual({ who: 'butler' });
    expect(result.text).toBe('{"who":"butler"}');
    expect(result.turns).toBe(2);
  });

  it('refuses answers without citations', async () => {
    const { result, root } = await play({
      context: CONTEXT,
      evidence: 'cite',
      root: [cell('FINAL("the butler")'), cited('the butler', 'The butler left')],
    });
    expect(result.evidence?.verdict).toBe('verified');
    expect(root.requests[1]?.prompt).toContain('citations');
    expect(root.requests[0]?.messages[0]?.content).toContain('copied word for word from the context');
  });

  it('is unverified where a limit ends the run with prose', async () => {
    const { result } = await play({
      context: CONTEXT,
      evidence: 'cite',
      limits: { maxTurns: 1 },
      root: [cell('print(1)'), 'Probably the butler.'],
    });
    expect(result).toMatchObject({
      outcome: 'exhausted',
      answer: 'Probably the butler.',
      evidence: { verdict: 'unverified', citations: [] },
    });
  });

  it('searches JSON values, mappings and projected values', async () => {
    const quotes = ['The cook saw him at the gate.'];
    for (const context of [
      { a: { text: CONTEXT }, b: [1, 2] },
      [{ row: 1, note: CONTEXT }],
      projected(CONTEXT),
      projected([CONTEXT]),
      projected(new Map([['a', CONTEXT]])),
    ]) {
      const { result } = await play({ context, evidence: 'cite', root: [cited('x', ...quotes)] });
      expect(result.evidence?.verdict).toBe('verified');
    }
  });

  it('of a quote that another document contains is moved there', async () => {
    const { result } = await play({
      context: { 'a.txt': 'Nothing of note here.', 'b.txt': CONTEXT },
      evidence: 'cite',
      root: [cell(`FINAL({"answer": "x", "citations": [{"document": "a.txt", "quote": "The cook saw him"}]})`)],
    });
    expect(result.evidence?.citations).toMatchObject([{ document: 'b.txt', status: 'moved', start: 26 }]);
  });

  it.each<[string, Partial<CompletionRequest<never>>, RegExp]>([
    ['without a context', { evidence: 'cite' }, /needs a context/],
    ['of another kind', { evidence: 'full' as 'cite', context: 'x' }, /has to be 'cite'/],
    ['checks without a type', { checks: () => [], context: 'x' }, /needs a typed answer/],
  ])('%s is refused before anything is sent', async (_, request, message) => {
    const { error, result } = await playToFailure({ ...(request as object), root: ['FINAL(1)'] });
    expect(error).toMatchObject({ code: 'invalid-option', message: expect.stringMatching(message) });
    expect(result.usage.calls).toBe(0);
  });

  it('of a direct call is checked as well, and leaves a wrong one to the loop', async () => {
    const model = (replies: string[]) => ({ ...scriptedModel(replies, { modelId: 'gpt-4-32k' }), provider: 'openai' });
    const direct = (quote: string): string => JSON.stringify({ answer: 'the butler', citations: [{ quote }] });
    const request = { query: 'Who?', context: CONTEXT, evidence: 'cite', mode: 'auto' } as const;
    const good = await rlmOf({ model: model([direct('The butler left')]) }).completion(request);
    expect(good).toMatchObject({
      answer: 'the butler',
      route: { chosen: 'direct' },
      evidence: { verdict: 'verified' },
    });
    const bad = await rlmOf({
      model: model([direct('The cook lied to all'), cited('the butler', 'The butler left')]),
    }).completion(request);
    expect(bad).toMatchObject({ route: { chosen: 'loop' }, evidence: { verdict: 'verified' }, turns: 1 });
  });

  it('is resumed with the schema of the caller', async () => {
    const store = memoryStore();
    const mock = await startMockProvider({
      respond: () => ({ fault: 'status', status: 401, error: { message: 'no', type: 'authentication_error' } }),
    });
    const model = `${mock.url}/v1#m`;
    const output = z.object({ who: z.string() });
    const first = rlmOf({ model, store }).completion({ query: 'Who?', context: CONTEXT, evidence: 'cite', output });
    await expect(Promise.resolve(first)).rejects.toMatchObject({ resumable: true });
    mock.respondWith(() => ({ text: cited({ who: 'butler' }, 'The butler left') }));
    const second = await rlmOf({ model, store }).resume(first.id, { output });
    expect(second).toMatchObject({ answer: { who: 'butler' }, evidence: { verdict: 'verified' } });
    await mock.close();
  });
});

describe('checks of a typed answer', () => {
  it('refuse an answer with their issues, which they find by counting and searching', async () => {
    const events: RunEvent[] = [];
    const { result, root } = await play<{ butlers: number }>({
      context: { 'a.txt': 'butler butler', 'b.txt': 'Butler' },
      output: z.object({ butlers: z.number() }),
      checks: async ({ butlers }, context) => {
        const counted = await context.count(/butler/i);
        const hits = await context.search('butler');
        expect(hits.map(({ document, start }) => [document, start])).toEqual([
          ['a.txt', 0],
          ['a.txt', 7],
        ]);
        return butlers === counted ? [] : [`butlers: the context has ${counted}, not ${butlers}`];
      },
      root: [cell('FINAL({"butlers": 2})'), cell('FINAL({"butlers": 3})')],
      options: { onEvent: (event) => events.push(event) },
    });
    expect(result.answer).toEqual({ butlers: 3 });
    expect(root.requests[1]?.prompt).toContain('butlers: the context has 3, not 2');
  });

  it('that throw refuse every answer with their error', async () => {
    const { result } = await play<number>({
      context: 'x',
      output: z.number(),
      checks: () => {
        throw new Error('no database');
      },
      root: () => cell('FINAL(1)'),
    });
    expect(result).toMatchObject({
      outcome: 'exhausted',
      stop: 'error-limit',
      reason: expect.stringContaining('no database'),
    });
  });
});
