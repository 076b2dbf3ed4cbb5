/**
 * The cost of durability: a fan-out of in-process model calls with events and journal on against off, the time a resume
 * takes to its first new call, and how a log grows. Bars: at most 10 % of fan-out throughput, at most 1 s for 10 000
 * recorded calls, at most 2 MB for a context of 1 MB over 50 turns.
 *
 * Run: `node bench/journal.bench.ts`
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemClock } from '../src/clock.ts';
import { createEventBus, type EventBus } from '../src/event/bus.ts';
import { createJournal, type Journal, openJournal } from '../src/journal/index.ts';
import type { CallAccount } from '../src/model/account.ts';
import type { Model } from '../src/model/port.ts';
import { memoryStore, type Store, sqliteStore } from '../src/store/index.ts';

const model = { id: 'bench/model' } as Model;
/** The floor: the same code with nothing behind it. */
const NOWHERE = {
  journal: { append: () => undefined, read: () => Promise.resolve([]) },
  flush: () => Promise.resolve(),
};
const account: CallAccount = {
  reserve: () => Promise.resolve({ settle: () => undefined, release: () => undefined }),
};
const signal = new AbortController().signal;
const usage = { inputTokens: 800, outputTokens: 60, estimated: false };

/** Text like a model's, new for each seed: words that hardly compress and never repeat as a whole. */
export function prose(seed: number, chars: number): string {
  let state = (seed * 2_654_435_761) >>> 0;
  let text = '';
  while (text.length < chars) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += `${(state % 46_656).toString(36)}${state % 11 === 0 ? '.\n' : ' '}`;
  }
  return text.slice(0, chars);
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Milliseconds of one write and sync on this disk: the floor of whatever is durable. */
export async function measureSync(rounds = 100): Promise<number> {
  return await inFolder(async (folder) => {
    const file = openSync(join(folder, 'floor'), 'w');
    const startedAt = performance.now();
    for (let round = 0; round < rounds; round++) {
      writeSync(file, 'x'.repeat(4096));
      fdatasyncSync(file);
    }
    closeSync(file);
    return (performance.now() - startedAt) / rounds;
  });
}

export interface FanOut {
  readonly calls: number;
  readonly inFlight: number;
  readonly latencyMs: number;
}

/** One call as the engine makes it: two events, a step with one attempt, the usage. */
async function call(number: number, latencyMs: number, bus: EventBus, journal: Journal): Promise<void> {
  const callId = `c${number}`;
  const place = { kind: 'llm', callId, depth: 1, model: model.id } as const;
  bus.emit({ type: 'subcall.started', ...place, promptChars: 3000, commandId: 't1.0' });
  const step = {
    kind: 'sub',
    turn: 1,
    command: 't1.0',
    task: `i${number}`,
    request: { model: model.id, number },
  } as const;
  await journal.root.step(step, async (running) => {
    const reservation = await running
      .account(account)
      .reserve({ model, inputTokens: 800, maxOutputTokens: 100 }, signal);
    await reservation.sending?.();
    // Latencies of real calls differ, so that answers do not come in waves.
    await new Promise((resolve) => setTimeout(resolve, latencyMs * (0.5 + ((number * 7919) % 1000) / 1000)));
    reservation.settle({ usage });
    return { ok: true, text: prose(number, 250) };
  });
  const costs = { inputTokens: 800, outputTokens: 60, costUsd: 0.001 };
  bus.emit({ type: 'subcall.completed', ...place, ok: true, ...costs, durationMs: latencyMs });
}

/** Milliseconds of a fan-out over the given store; without one, events and journal are off. */
export async function fanOut({ calls, inFlight, latencyMs }: FanOut, store: Store | undefined): Promise<number> {
  const runId = `run-${latencyMs}`;
  const bus = createEventBus({ runId, traceId: runId, clock: systemClock, ...(store === undefined ? {} : { store }) });
  const journal = createJournal({ journalId: runId, store: store ?? NOWHERE, clock: systemClock });
  const startedAt = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < calls) await call(next++, latencyMs, bus, journal);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  await bus.flush();
  return performance.now() - startedAt;
}

export interface Resumed {
  readonly ms: number;
  /** Of this process alone, whatever else the machine does. */
  readonly cpuMs: number;
  readonly repeated: number;
}

/** Time from opening a store to the first new call after so many recorded ones, each asked for again. */
export async function resume(recorded: number): Promise<Resumed> {
  return await inFolder(async (folder) => {
    const store = sqliteStore(folder);
    await fanOut({ calls: recorded, inFlight: 500, latencyMs: 1 }, store);
    await store.close();
    const startedAt = performance.now();
    const startedCpu = process.cpuUsage();
    const again = sqliteStore(folder);
    const journal = await openJournal({ journalId: 'run-1', store: again, clock: systemClock });
    const tail = await again.events.tail('run-1');
    const bus = createEventBus({ runId: 'run-1', traceId: 'run-1', clock: systemClock, store: again, tail });
    let repeated = 0;
    for (let number = 0; number < recorded; number++) {
      const callId = `c${number}`;
      const place = { kind: 'llm', callId, depth: 1, model: model.id } as const;
      bus.emit({ type: 'subcall.started', ...place, promptChars: 3000, commandId: 't1.0' });
      const request = { model: model.id, number };
      await journal.root.step(
        { kind: 'sub', turn: 1, command: 't1.0', task: `i${number}`, request },
        async () => ++repeated,
      );
    }
    let ms = 0;
    let cpuMs = 0;
    await journal.root.step({ kind: 'root', turn: 2 }, async () => {
      ms = performance.now() - startedAt;
      const { user, system } = process.cpuUsage(startedCpu);
      cpuMs = (user + system) / 1000;
      return 'new';
    });
    await again.close();
    return { ms, cpuMs, repeated };
  });
}

export interface Growth {
  readonly contextChars: number;
  readonly turns: number;
  readonly replyChars: number;
  readonly shownChars: number;
}

/** Bytes on disk after a run over a context of that size, with what the engine writes for each turn. */
export async function logSize({ contextChars, turns, replyChars, shownChars }: Growth): Promise<number> {
  return await inFolder(async (folder) => {
    const store = sqliteStore(folder);
    await store.blobs.put(prose(1, contextChars), 'run');
    const bus = createEventBus({ runId: 'run', traceId: 'run', clock: systemClock, store });
    const { root } = createJournal({ journalId: 'run', store, clock: systemClock });
    for (let turn = 1; turn <= turns; turn++) await oneTurn(turn, { bus, root, replyChars, shownChars });
    await bus.flush();
    await store.close();
    return sizeOf(folder);
  });
}

interface TurnOf {
  readonly bus: EventBus;
  readonly root: Journal['root'];
  readonly replyChars: number;
  readonly shownChars: number;
}

async function oneTurn(turn: number, { bus, root, replyChars, shownChars }: TurnOf): Promise<void> {
  const id = `t${turn}.0`;
  bus.emit({ type: 'turn.started', turn });
  const code = prose(turn * 1000, replyChars - 100);
  const text = `I look at the next part.\n\`\`\`python\n${code}\n\`\`\``;
  await root.step({ kind: 'root', turn }, async (step) => {
    const reservation = await step.account(account).reserve({ model, inputTokens: 800, maxOutputTokens: 100 }, signal);
    await reservation.sending?.();
    reservation.settle({ usage });
    return { text, finishReason: 'stop', usage };
  });
  bus.emit({ type: 'model.replied', turn, model: model.id, text, finishReason: 'stop', durationMs: 1 });
  bus.emit({ type: 'command.parsed', turn, id, command: { type: 'cell', code } });
  const stdout = prose(turn * 1000 + 1, shownChars);
  const shown = `${stdout}\n[${stdout.length} characters]`;
  const counts = { subCalls: 0, failedSubCalls: 0, durationMs: 1, timedOut: false };
  bus.emit({ type: 'cell.completed', turn, id, ok: true, shown, stdout, stderr: '', ...counts });
  root.command({ id, source: code, shown, ok: true });
  const feedback = root.turn(turn, `${id} ran in 1 ms:\n${shown}\nTurn ${turn + 1} of 50; budget left: 90 %`);
  bus.emit({ type: 'turn.completed', turn, feedback, durationMs: 1 });
}

function sizeOf(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}

async function main(): Promise<void> {
  console.log(`one write and sync: ${(await measureSync()).toFixed(2)} ms`);
  for (const [calls, inFlight, latencyMs] of [
    [1000, 100, 200],
    [2000, 32, 20],
    [5000, 100, 0],
  ] as const) {
    const shape = { calls, inFlight, latencyMs };
    const off = await fanOut(shape, undefined);
    const memory = await fanOut(shape, memoryStore());
    const sqlite = await inFolder(async (folder) => {
      const store = sqliteStore(folder);
      const ms = await fanOut(shape, store);
      await store.close();
      return ms;
    });
    const cost = (ms: number): string => `${ms.toFixed(0)} ms (${(100 * (ms / off - 1)).toFixed(1)} %)`;
    console.log(
      `${calls} calls of ${latencyMs} ms, ${inFlight} in flight: off ${off.toFixed(0)} ms, memory ${cost(memory)}, sqlite ${cost(sqlite)}`,
    );
  }
  const { ms, cpuMs, repeated } = await resume(10_000);
  console.log(
    `resume of 10 000 recorded calls: ${ms.toFixed(0)} ms (${cpuMs.toFixed(0)} ms of CPU) to the first new call (bar 1000), ${repeated} repeated`,
  );
  for (const shownChars of [2000, 20_000]) {
    const bytes = await logSize({ contextChars: 1_000_000, turns: 50, replyChars: 1500, shownChars });
    console.log(`1 MB context x 50 turns, ${shownChars} characters shown each: ${(bytes / 1e6).toFixed(2)} MB (bar 2)`);
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
