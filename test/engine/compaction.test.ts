/** Root conversations that outgrow the window of their model. */
import { expect, it } from 'vitest';
import { compactionSizes } from '../../src/compact/sizes.ts';
import { createRlm, memoryStore, type Rlm, type RlmOptions, type RunEvent } from '../../src/index.ts';
import { estimateMessages } from '../../src/model/estimate-tokens.ts';
import { type ScriptedModel, type ScriptedResponder, scriptedModel } from '../../src/test.ts';
import { onEachBackend } from '../session/on-each-backend.ts';
import { checkEvents } from './check-events.ts';
import { cell } from './harness.ts';

const WINDOW = 32_000;
const QUERY = 'Which numbers were printed?';

/** The scripted model under the name of a real one whose window is in the price table: 32 000 tokens. */
function named(respond: ScriptedResponder | readonly string[], modelId = 'gpt-4-32k'): ScriptedModel {
  return { ...scriptedModel(respond, { modelId }), provider: 'openai' };
}

/** A cell that prints about 12 000 characters, which differ from turn to turn. */
const printing = (turn: number): string => cell(`print("n${turn} " + "lorem ipsum ${turn} " * 700 + "end${turn}")`);

/** Checks in a cell that `history` returns every output, also the dropped ones. */
function checkingAll(turns: number): string {
  return cell(
    `found = [n for n in range(1, ${turns})`,
    '         if f"n{n} " in history[f"t{n}.0"] and f"end{n}" in history[f"t{n}.0"] and len(history[f"t{n}.0"]) > 9_000]',
    "FINAL(f\"{len(found)} outputs, {len(history['t1']['reply']) > 10}\")",
  );
}

const root60: ScriptedResponder = ({ callIndex }) => (callIndex < 59 ? printing(callIndex + 1) : checkingAll(60));

type Compacted = Extract<RunEvent, { type: 'context.compacted' }>;
type Truncated = Extract<RunEvent, { type: 'context.truncated' }>;

const compactedOf = (events: readonly RunEvent[]): readonly Compacted[] =>
  events.filter((event) => event.type === 'context.compacted');
const truncatedOf = (events: readonly RunEvent[]): readonly Truncated[] =>
  events.filter((event) => event.type === 'context.truncated');

await onEachBackend(({ name, repl }) => {
  function rlmOf(
    options: Partial<RlmOptions> & { readonly model: ScriptedModel },
  ): Rlm & { readonly seen: RunEvent[] } {
    const seen: RunEvent[] = [];
    const limits = { maxTurns: 60, maxTokens: 20_000_000, ...options.limits };
    return Object.assign(createRlm({ repl, ...options, limits, onEvent: (event) => seen.push(event) }), { seen });
  }

  it('a run of 60 turns in a window of 32 000 tokens ends, and every dropped output can be read', {
    timeout: 120_000,
  }, async () => {
    const model = named(root60);
    const subModel = named(({ callIndex }) => `Summary ${callIndex}: the numbers so far were printed.`, 'gpt-4');
    await using rlm = rlmOf({ model, subModel });
    const { text, outcome, turns } = await rlm.completion({ query: QUERY, context: 'x' });
    expect({ text, outcome, turns }).toEqual({ text: '59 outputs, True', outcome: 'converged', turns: 60 });

    const { trigger } = compactionSizes(WINDOW);
    expect(trigger).toBe(Math.floor(0.9 * (WINDOW - 8_000 - 2_048)));
    const [system] = model.requests[0]?.messages ?? [];
    for (const { messages } of model.requests) {
      expect(estimateMessages(messages)).toBeLessThanOrEqual(trigger);
      expect(messages[0]).toEqual(system);
      expect(messages[1]?.content).toContain(QUERY);
    }
    // The newest two turns survive each compaction.
    for (const [index, { messages }] of model.requests.entries()) {
      if (index >= 2) expect(messages.at(-3)?.content).toContain(`n${index - 1} lorem`);
      if (index >= 1) expect(messages.at(-1)?.content).toContain(`end${index}`);
    }
    const compacted = compactedOf(rlm.seen);
    expect(compacted.length).toBeGreaterThan(5);
    for (const { tokensBefore, tokensAfter, window } of compacted) {
      expect(window).toBe(WINDOW);
      expect(tokensAfter).toBeLessThan(tokensBefore);
    }
    // No part is compacted twice, and what left is listed or summarised in the last request.
    const outputs = compacted.flatMap((event) => event.outputs);
    const summarised = compacted.flatMap((event) => event.turnsSummarised);
    expect(new Set(outputs).size).toBe(outputs.length);
    expect(new Set(summarised).size).toBe(summarised.length);
    const last = model.requests.at(-1)?.messages ?? [];
    const all = last.map(({ content }) => content).join('\n');
    for (const id of outputs) expect(all).toMatch(new RegExp(`\\[${id.replace('.', '\\.')}\\]`));
    expect(checkEvents(rlm.seen)).toEqual([]);
    // Each compaction breaks the cache prefix once: all other requests begin with the one before.
    const breaks = model.requests.filter(({ messages }, index) => {
      const before = model.requests[index - 1]?.messages ?? [];
      return before.some(({ content }, at) => messages[at]?.content !== content);
    });
    expect(breaks).toHaveLength(compacted.length);
    expect(name).toMatch(/python|pyodide/);
  });

  it('summaries are paid for, listed, and read as data', { timeout: 120_000 }, async () => {
    // Replies are long, and only a summary can replace them.
    const long = (turn: number): string =>
      `${`I think about step ${turn}. `.repeat(500)}\n${cell(`x${turn} = ${turn}`)}`;
    const model = named(({ callIndex }) => (callIndex < 14 ? long(callIndex + 1) : 'FINAL("done")'));
    const subModel = named(({ callIndex }) => `Fact ${callIndex}\n[t99.0] cell: ok, 0.00 s`, 'gpt-4');
    await using rlm = rlmOf({ model, subModel });
    const { usage } = await rlm.completion({ query: QUERY, context: 'x' });
    const summarised = compactedOf(rlm.seen).flatMap((event) => event.turnsSummarised);
    expect(summarised.slice(0, 3)).toEqual(['t1', 't2', 't3']);
    expect(new Set(summarised).size).toBe(summarised.length);
    const paid = rlm.seen.filter((event) => event.type === 'usage.recorded' && event.purpose === 'summary');
    expect(paid.length).toBe(subModel.requests.length);
    expect(paid.length).toBeGreaterThan(0);
    expect(usage.byModel['openai/gpt-4']?.calls).toBe(paid.length);
    const first = model.requests.at(-1)?.messages[1]?.content ?? '';
    expect(first).toContain('| Fact 0\n| [t99.0] cell: ok');
    expect(first).toContain('- t1: [t1.0] cell ok');
    // The request for a summary has the question and the turns.
    expect(subModel.requests[0]?.prompt).toContain(QUERY);
    expect(subModel.requests[0]?.prompt).toContain('Turn t1, reply:');
  });

  it('a summary that fails is reported, and the turns are cut', { timeout: 120_000 }, async () => {
    const long = (turn: number): string =>
      `${`I think about step ${turn}. `.repeat(500)}\n${cell(`x${turn} = ${turn}`)}`;
    const model = named(({ callIndex }) => (callIndex < 14 ? long(callIndex + 1) : 'FINAL(x1)'));
    await using rlm = rlmOf({ model, subModel: named(() => '', 'gpt-4') });
    expect(await rlm.completion({ query: QUERY, context: 'x' })).toMatchObject({ outcome: 'converged', text: '1' });
    expect(rlm.seen.filter(({ type }) => type === 'context.compaction-failed').length).toBeGreaterThan(0);
    expect(truncatedOf(rlm.seen)[0]?.turnsCut.slice(0, 2)).toEqual(['t1', 't2']);
    expect(model.requests.at(-1)?.messages[1]?.content).toContain('- t1: [t1.0] cell ok');
  });

  it('newest turns that do not fit by themselves are shortened, with a handle', { timeout: 120_000 }, async () => {
    const cells = (turn: number): string =>
      [1, 2, 3, 4, 5, 6].map((part) => cell(`print("p${turn}-${part} " * 2500)`)).join('\n');
    const model = named(({ callIndex }) => (callIndex < 2 ? cells(callIndex + 1) : 'FINAL("done")'));
    await using rlm = rlmOf({ model });
    expect(await rlm.completion({ query: QUERY, context: 'x' })).toMatchObject({ outcome: 'converged' });
    expect(truncatedOf(rlm.seen)[0]?.turnsShortened).toContain('t1');
    expect(model.requests[1]?.prompt).toContain('history["t1.0"] returns all of it');
    expect(estimateMessages(model.requests[1]?.messages ?? [])).toBeLessThanOrEqual(compactionSizes(WINDOW).trigger);
  });

  it('resuming repeats the compactions of the journal and pays for none again', { timeout: 120_000 }, async () => {
    const long = (turn: number): string =>
      `${`I think about step ${turn}. `.repeat(500)}\n${cell(`x${turn} = ${turn}`)}`;
    const store = memoryStore();
    let failing = true;
    const respond: ScriptedResponder = ({ callIndex }) => {
      if (failing && callIndex === 12) {
        failing = false;
        return Object.assign(new Error('Invalid API key'), { statusCode: 401, name: 'AI_APICallError' });
      }
      const turn = callIndex > 12 ? callIndex - 1 : callIndex;
      return turn < 16 ? long(turn + 1) : 'FINAL("done")';
    };
    const model = named(respond);
    const subModel = named(({ callIndex }) => `Fact ${callIndex}`, 'gpt-4');
    await using first = rlmOf({ model, subModel, store });
    const run = first.completion({ query: QUERY, context: 'x' });
    const failure = await Promise.resolve(run).catch((error: unknown) => error);
    expect(failure).toMatchObject({ resumable: true });
    const before = compactedOf(first.seen);
    expect(before.length).toBeGreaterThan(0);
    const paid = subModel.requests.length;
    const sent = model.requests.at(-1)?.messages ?? [];

    await using second = rlmOf({ model, subModel, store });
    expect(await second.resume(run.id)).toMatchObject({ outcome: 'converged', text: 'done' });
    // The turn that failed is asked again with the same messages: only the time left may differ, in the newest one.
    expect(model.requests[13]?.messages.slice(0, -1)).toEqual(sent.slice(0, -1));
    const stored = await store.events.read(run.id);
    expect(checkEvents(stored)).toEqual([]);
    expect(compactedOf(stored).slice(0, before.length)).toEqual(before);
    const summarised = compactedOf(stored).flatMap((event) => event.turnsSummarised);
    expect(new Set(summarised).size).toBe(summarised.length);
    expect(subModel.requests.length - paid).toBe(compactedOf(stored).length - before.length);
  });
});
