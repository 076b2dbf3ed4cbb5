/** Cells that run while the rest of their reply arrives, and what is on record before they do. */
import { describe, expect, it } from 'vitest';
import { memoryStore, type RlmOptions, type RunEvent } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell, rlmOf } from './harness.ts';
import { type PacedModel, type PacedReply, pacedModel } from './paced-model.ts';

/** Events as they come, to be waited for. */
class Watch {
  readonly seen: RunEvent[] = [];
  readonly #waiting: (() => void)[] = [];

  readonly onEvent = (event: RunEvent): void => {
    this.seen.push(event);
    for (const look of this.#waiting) look();
  };

  /** Resolves with the first event of a type, for one command where it has an id. */
  first(type: RunEvent['type'], id?: string): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.seen.some((event) => event.type === type && (id === undefined || ('id' in event && event.id === id))))
          resolve();
      };
      this.#waiting.push(look);
      look();
    });
  }

  order(...types: RunEvent['type'][]): string[] {
    return this.seen.flatMap((event) =>
      types.includes(event.type) ? ['id' in event ? `${event.type} ${event.id}` : event.type] : [],
    );
  }
}

/** Starts a run whose root is paced. */
function begin(
  replies: (watch: Watch) => readonly PacedReply[],
  more: Record<string, unknown> = {},
  options: Partial<RlmOptions> = {},
) {
  const watch = new Watch();
  const root = pacedModel(replies(watch));
  const sub = scriptedModel(({ prompt }) => prompt.toUpperCase(), { modelId: 'sub' });
  const store = memoryStore();
  const rlm = rlmOf({ model: root, subModel: sub, store, onEvent: watch.onEvent, ...options });
  const run = rlm.completion({ query: 'What is it?', context: 'x', ...more });
  return { watch, root, sub, store, rlm, run };
}

async function* all(text: string): AsyncGenerator<string, void> {
  yield text;
}

const FINAL: PacedReply = () => all(cell('FINAL(done)'));

describe('a cell runs as soon as its fence closes', () => {
  it('while the rest of the reply arrives, and the reply is whole', async () => {
    const { run, watch, root } = begin((watch) => [
      async function* () {
        yield `I look.\n${cell('done = llm_query("seen")')}\n`;
        await watch.first('cell.completed', 't1.0');
        yield 'And then I answer.';
      },
      FINAL,
    ]);
    const result = await run;
    expect(result.answer).toBe('SEEN');
    expect(watch.order('cell.started', 'cell.completed', 'model.replied').slice(0, 3)).toEqual([
      'cell.started t1.0',
      'cell.completed t1.0',
      'model.replied',
    ]);
    expect(result.trajectory.turns[0]?.reply).toMatch(/^I look[\s\S]*And then I answer\.$/);
    expect(root.calls).toBe(2);
  });

  it('each of several, in order, and other commands once the reply is complete', async () => {
    const { run, watch } = begin((watch) => [
      async function* () {
        yield `${cell('done = [1]')}\n`;
        await watch.first('cell.completed', 't1.0');
        yield '```bash\necho two > f\n```\n';
        await watch.first('cell.completed', 't1.1');
        yield `SNAPSHOT(here)\n${cell('done.append(open("f").read().strip())')}\n`;
        yield 'The end.';
      },
      FINAL,
    ]);
    expect((await run).answer).toBe('[1, "two"]');
    const order = watch.order('cell.completed', 'model.replied');
    expect(order.slice(0, 5)).toEqual([
      'cell.completed t1.0',
      'cell.completed t1.1',
      'model.replied',
      'cell.completed t1.2',
      'cell.completed t1.3',
    ]);
  });

  it('never an untagged block, and nothing while reasoning may be open', async () => {
    const { run, watch } = begin(() => [
      async function* () {
        yield '```\ndone = "untagged"\n```\n';
        await arrived();
        yield 'That was it.\n';
      },
      async function* () {
        yield `<think>\n${cell('done = "thought"')}\n`;
        await arrived();
        yield `</think>\n${cell('done += ", meant"')}`;
      },
      FINAL,
    ]);
    expect((await run).answer).toBe('untagged, meant');
    expect(watch.order('cell.started', 'model.replied').slice(0, 4)).toEqual([
      'model.replied',
      'cell.started t1.0',
      'model.replied',
      'cell.started t2.0',
    ]);
  });

  it('not where a policy asks a person about commands', async () => {
    const asks = { check: async () => ({ decision: 'allow' }) as const, ask: async () => true };
    const { run, watch } = begin(
      () => [
        async function* () {
          yield `${cell('done = 1')}\n`;
          await arrived();
          yield 'More words.';
        },
        FINAL,
      ],
      {},
      { policy: asks },
    );
    await run;
    expect(watch.order('cell.started', 'model.replied').slice(0, 2)).toEqual(['model.replied', 'cell.started t1.0']);
  });

  it('not where the reply ends with it: there is nothing to gain, and one write to the journal less', async () => {
    const { run, watch } = begin(() => [() => all(cell('done = 1')), FINAL]);
    await run;
    expect(watch.order('cell.started', 'model.replied').slice(0, 2)).toEqual(['model.replied', 'cell.started t1.0']);
  });
});

/** Lets everything that has arrived be read. */
async function arrived(): Promise<void> {
  for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('what ran early', () => {
  it('was on record before: the journal has the reply up to the cell', async () => {
    const found: unknown[] = [];
    const started = begin(
      (watch) => [
        async function* () {
          yield `Words.\n${cell('done = probe()')}\n`;
          await watch.first('cell.completed', 't1.0');
          yield 'More.';
        },
        FINAL,
      ],
      {
        tools: {
          probe: async () => {
            const entries = await started.store.journal.read(started.run.id);
            found.push(...entries.filter(({ kind }) => kind === 'beginning').map(({ body }) => body));
            return 'probed';
          },
        },
      },
    );
    expect((await started.run).answer).toBe('probed');
    expect(found).toMatchObject([{ text: `Words.\n${cell('done = probe()')}\n` }]);
  });

  it('is the reply where the stream breaks: nothing is asked or run again, and the model reads why', async () => {
    const { run, root, sub } = begin((watch) => [
      async function* () {
        yield `${cell('done = llm_query("once")')}\n`;
        await watch.first('cell.completed', 't1.0');
        throw new Error('socket hang up');
      },
      FINAL,
    ]);
    const result = await run;
    expect(result.answer).toBe('ONCE');
    expect(root.calls).toBe(2);
    expect(sub.requests).toHaveLength(1);
    expect(root.prompts[1]).toContain('Your reply broke off while it arrived');
    expect(result.trajectory.turns[0]?.reply).toBe(`${cell('done = llm_query("once")')}\n`);
  });

  it('control: a stream that breaks before a cell began is asked for again', async () => {
    const { run, root } = begin(() => [
      async function* () {
        yield 'I begin to';
        throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
      },
      () => all(cell('done = 1')),
      FINAL,
    ]);
    expect((await run).answer).toBe('1');
    expect(root.calls).toBe(3);
  });

  it('ends the reply where the model invents the output', async () => {
    const { run, root, watch } = begin((watch) => [
      async function* () {
        yield `${cell('done = 1')}\n`;
        await watch.first('cell.started', 't1.0');
        yield 'Output:\n';
        for (;;) yield '42 and so on\n';
      },
      FINAL,
    ]);
    expect((await run).answer).toBe('1');
    expect(root.cancelled).toBe(1);
    expect(root.prompts[1]).toContain('output or a message that you wrote yourself');
    expect(watch.order('model.replied')).toHaveLength(2);
  });

  it('ends the reply with its answer', async () => {
    const { run, root } = begin((watch) => [
      async function* () {
        yield `${cell('FINAL("early")')}\n`;
        await watch.first('cell.completed', 't1.0');
        for (;;) yield 'more words\n';
      },
    ]);
    expect(await run).toMatchObject({ answer: 'early', outcome: 'converged', turns: 1 });
    expect(root.cancelled).toBe(1);
  });
});

describe('an interruption in the middle of a reply', () => {
  it('resumes with the recorded part: neither the reply nor its sub-calls are paid for again', async () => {
    const watch = new Watch();
    const replies: PacedReply[] = [
      async function* ({ signal }) {
        yield `${cell('done = llm_query("once")')}\n`;
        await watch.first('cell.completed', 't1.0');
        stop();
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
      FINAL,
    ];
    const root: PacedModel = pacedModel(replies);
    const sub = scriptedModel(({ prompt }) => prompt.toUpperCase(), { modelId: 'sub' });
    const store = memoryStore();
    const rlm = rlmOf({ model: root, subModel: sub, store, onEvent: watch.onEvent });
    const run = rlm.completion({ query: 'What is it?', context: 'x' });
    const stop = (): void => run.pause();
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    const result = await rlm.resume(run.id);
    expect(result.answer).toBe('ONCE');
    expect(root.calls).toBe(2);
    expect(sub.requests).toHaveLength(1);
    expect(watch.seen.filter(({ type }) => type === 'journal.diverged')).toEqual([]);
    // The first call was given up when the run was paused: it may have been billed.
    expect(result.usage.possiblyBilled).toBe(1);
  });
});
