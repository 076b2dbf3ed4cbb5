/** Runs that are written straight into a store, of any size and with any text: no model and no REPL is needed. */
import { monotonicFactory } from 'ulid';
import type { EventBody, RunEvent } from '../../src/event/event.ts';
import type { Store } from '../../src/index.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import type { RunRecord } from '../../src/store/index.ts';

const ulid = monotonicFactory();

/** How a run is made. */
export interface MadeRun {
  readonly query?: string;
  readonly answer?: string;
  /** Turns before the one that answers. Default 2. */
  readonly turns?: number;
  /** Calls of each turn. Default 3. */
  readonly calls?: number;
  /** Children of the last turn. Default 0. */
  readonly children?: number;
  /** Levels of children. Default 1. */
  readonly levels?: number;
  /** Every text of the run: prose, code, output, prompts, replies. Default: plain words. */
  readonly text?: (name: string) => string;
  /** Which calls fail: every n-th. Default 7. */
  readonly failEvery?: number;
  /** It has not ended, and its record says so. */
  readonly running?: true;
  readonly status?: RunRecord['status'];
  /** Milliseconds since the epoch. */
  readonly at?: number;
}

const MODEL = 'made/root';
const SUB_MODEL = 'made/sub';
const START = Date.parse('2026-03-04T05:06:07.000Z');

/** Writes a run and gives its id. */
export async function makeRun(store: Store, made: MadeRun = {}): Promise<string> {
  const id = ulid();
  const writer = new Writer(store, id, made.at ?? START);
  const { elapsedMs, calls } = writer.run(made, { runId: id, scope: '', depth: 0 });
  const time = (ms: number): string => new Date((made.at ?? START) + ms).toISOString();
  const status = made.status ?? (made.running === true ? 'running' : 'completed');
  const record: RunRecord = {
    ...{ id, traceId: id, depth: 0, status, createdAt: time(0), updatedAt: time(elapsedMs) },
    request: {
      ...{ query: made.query ?? 'How many letters are in the box?', contexts: [], rootModel: MODEL, tools: [] },
      ...{ subModels: [SUB_MODEL], backend: 'python', limits: DEFAULT_LIMITS },
    },
    ...(made.running !== true && {
      result: {
        ...{ outcome: 'converged', stop: 'final', text: made.answer ?? 'Forty-two letters.', turns: made.turns ?? 2 },
        ...{ subCalls: calls, inputTokens: 100 * calls, outputTokens: 10 * calls, costUsd: 0.001 * calls, elapsedMs },
      },
    }),
  };
  await store.runs.put(record);
  await store.flush();
  return id;
}

interface Level {
  readonly runId: string;
  /** The key of the step that started it. */
  readonly scope: string;
  readonly depth: number;
  readonly parentRunId?: string;
}

interface Written {
  readonly elapsedMs: number;
  readonly calls: number;
}

/** Appends the events and journal entries of a tree. */
class Writer {
  readonly #store: Store;
  readonly #root: string;
  readonly #start: number;
  readonly #seq = new Map<string, number>();
  #now = 0;
  #calls = 0;

  constructor(store: Store, root: string, start: number) {
    this.#store = store;
    this.#root = root;
    this.#start = start;
  }

  run(made: MadeRun, level: Level): Written {
    const { turns = 2, text = plain, query = 'How many letters are in the box?', answer = 'Forty-two letters.' } = made;
    const begin = this.#now;
    const before = this.#calls;
    const models = { rootModel: MODEL, subCallModel: SUB_MODEL };
    this.#event(level, {
      ...{ type: 'run.started', query, depth: level.depth, ...models, backend: 'python', isolation: 'namespace' },
      contexts: [{ name: 'context', type: 'str', size: 1_000_000, description: 'text of `box.txt`' }],
    });
    for (let turn = 1; turn <= turns; turn++) this.#turn(made, level, turn);
    if (made.running === true && level.depth === 0) {
      this.#event(level, { type: 'turn.started', turn: turns + 1 });
      return { elapsedMs: this.#now - begin, calls: this.#calls - before };
    }
    this.#answer(level, turns + 1, text('answer-prose'), answer);
    const elapsedMs = this.#now - begin;
    const calls = this.#calls - before;
    this.#event(level, {
      ...{ type: 'run.completed', outcome: 'converged', stop: 'final', turns: turns + 1, subCalls: calls, elapsedMs },
      ...{ inputTokens: 100 * calls, outputTokens: 10 * calls, costUsd: 0.001 * calls, text: answer, ...models },
    });
    return { elapsedMs, calls };
  }

  #turn(made: MadeRun, level: Level, turn: number): void {
    const { text = plain, turns = 2, calls = 3, children = 0, levels = 1 } = made;
    const id = `t${turn}.0`;
    const code = `${text('code')}\nreplies = llm_query_batched(prompts)  # turn ${turn}`;
    this.#reply(level, turn, `${text('prose')}\n\n\`\`\`python\n${code}\n\`\`\``);
    this.#event(level, { type: 'command.parsed', turn, id, command: { type: 'cell', code } });
    const begin = this.#now;
    for (let index = 0; index < calls; index++) this.#call(made, level, { id, index, of: calls });
    const ofChildren = turn === turns && level.depth < levels ? children : 0;
    for (let index = 0; index < ofChildren; index++) this.#child(made, level, { id, index });
    this.#now += 40;
    const shown = text('output');
    this.#event(level, {
      ...{ type: 'cell.completed', turn, id, ok: true, shown, stdout: shown, stderr: '', timedOut: false },
      ...{ subCalls: calls + ofChildren, failedSubCalls: 0, durationMs: this.#now - begin },
    });
    const panel = 'New or changed variables:\n  replies: list [3] = [...]';
    const feedback = `[${id}] cell: ok\n| ${text('output')}\n\n${panel}\n\nTurn ${turn + 1} of 30 is next.`;
    this.#event(level, { type: 'turn.completed', turn, feedback, durationMs: this.#now - begin + 500 });
  }

  #reply(level: Level, turn: number, reply: string): void {
    this.#event(level, { type: 'turn.started', turn });
    this.#now += 500;
    this.#event(level, {
      ...{ type: 'usage.recorded', model: MODEL, purpose: 'root', depth: level.depth, attempt: 1, ok: true },
      ...{ inputTokens: 1_000, outputTokens: 100, costUsd: 0.002, estimated: false, possiblyBilled: false },
    });
    this.#event(level, {
      ...{ type: 'model.replied', turn, model: MODEL, text: reply, finishReason: 'stop', durationMs: 500 },
    });
  }

  #answer(level: Level, turn: number, prose: string, answer: string): void {
    this.#reply(level, turn, `${prose}\nFINAL(${JSON.stringify(answer)})`);
    const command = { type: 'final', form: 'literal', value: answer };
    this.#event(level, { type: 'command.parsed', turn, id: `t${turn}.0`, command });
  }

  #call(
    { text = plain, failEvery = 7 }: MadeRun,
    level: Level,
    place: { id: string; index: number; of: number },
  ): void {
    const { id, index } = place;
    const callId = `c${++this.#calls}`;
    const ok = this.#calls % failEvery !== 0;
    const [inputTokens, outputTokens, costUsd] = [100, 10, 0.001];
    const durationMs = 200 + ((index * 37) % 400);
    const key = `${this.#prefix(level)}${id}/sub@i${index}/h#1`;
    // 32 at once.
    const offset = Math.floor(index / 32) * 300;
    this.#event(level, {
      ...{ type: 'subcall.started', callId, kind: 'llm', depth: level.depth + 1, model: SUB_MODEL, commandId: id },
      promptChars: 100,
    });
    const prompt = `${text('prompt')} #${this.#calls}`;
    const at = this.#now + offset;
    this.#entry('call', key, {
      at,
      callId,
      kind: 'llm',
      model: SUB_MODEL,
      messages: [{ role: 'user', content: prompt }],
    });
    this.#entry('begin', key, { at, attempt: 1, kind: 'sub', model: SUB_MODEL, inputTokens, maxOutputTokens: 100 });
    const error = { code: 'timeout', message: 'the provider did not answer in time' };
    const reply = {
      ...{ ok, text: ok ? `${text('reply')} ${this.#calls}` : '', usage: { inputTokens, outputTokens, costUsd } },
      ...(!ok && { error }),
    };
    this.#entry('step', key, { at: at + durationMs, value: { reply } });
    this.#event(level, {
      ...{ type: 'subcall.completed', callId, kind: 'llm', model: SUB_MODEL, ok, inputTokens, outputTokens, costUsd },
      ...{ durationMs, ...(!ok && { code: 'timeout' }) },
    });
    if (index === place.of - 1) this.#now += offset + 600;
  }

  #child(made: MadeRun, level: Level, { id, index }: { readonly id: string; readonly index: number }): void {
    const runId = ulid();
    const callId = `c${++this.#calls}`;
    const scope = `${this.#prefix(level)}${id}/child@i${index}/h#1`;
    const query = `${(made.text ?? plain)('child-query')} (child ${index + 1})`;
    const begin = this.#now;
    this.#event(level, {
      ...{ type: 'subcall.started', callId, kind: 'rlm', depth: level.depth + 1, model: SUB_MODEL, commandId: id },
      promptChars: query.length,
    });
    const messages = [{ role: 'user', content: query }];
    this.#entry('call', scope, { at: begin, callId, kind: 'rlm', model: SUB_MODEL, messages });
    this.#entry('child', scope, { at: begin, runId });
    const answer = `child answer ${index + 1}`;
    const { running: _, ...rest } = made;
    const parts = { turns: 1, calls: Math.min(5, made.calls ?? 3), children: Math.min(2, made.children ?? 0) };
    const below = { runId, scope, depth: level.depth + 1, parentRunId: level.runId };
    const { calls } = this.run({ ...rest, ...parts, query, answer }, below);
    const usage = { inputTokens: 100 * calls, outputTokens: 10 * calls, costUsd: 0.001 * calls };
    this.#entry('step', scope, { at: this.#now, value: { reply: { ok: true, text: answer, usage } } });
    this.#event(level, {
      ...{ type: 'subcall.completed', callId, kind: 'rlm', model: SUB_MODEL, ok: true, childRunId: runId, ...usage },
      durationMs: this.#now - begin,
    });
  }

  #prefix({ scope }: Level): string {
    return scope === '' ? '' : `${scope}>`;
  }

  #event({ runId, parentRunId }: Level, body: EventBody): void {
    const seq = (this.#seq.get(runId) ?? 0) + 1;
    this.#seq.set(runId, seq);
    const base = {
      v: 1 as const,
      runId,
      traceId: this.#root,
      seq,
      time: new Date(this.#start + this.#now).toISOString(),
    };
    const event: RunEvent = { ...base, ...(parentRunId !== undefined && { parentRunId }), ...body };
    void this.#store.events.append(event, { identity: undefined, durability: 'written' });
  }

  #entry(kind: string, key: string, body: object): void {
    void this.#store.journal.append(this.#root, { kind, key, body: body as never }, 'written');
  }
}

function plain(name: string): string {
  return `some plain ${name}`;
}
