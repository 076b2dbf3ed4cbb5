/**
 * The parts that the conformance tests run on: a backend, one REPL per topic, and a host whose answers each test sets.
 *
 * @module
 */
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import type {
  CellOutcome,
  HistoryRead,
  IsolationLevel,
  JsonValue,
  ProjectionRead,
  Repl,
  ReplBackend,
  ReplHost,
  ReplLimits,
  SubCallReply,
  SubCallRequest,
} from '../../src/repl/port.ts';

/** The abilities of a backend beyond the contract that all share. */
export interface ReplCapabilities {
  /** The least isolation level it is opened with. */
  readonly least: IsolationLevel;
  /** `threading.Thread` works in cells. */
  readonly threads: boolean;
  /** Cells can start processes, whose output belongs to the cell. */
  readonly subprocess: boolean;
  /** Named snapshots; a kill goes back to the state before the cell. */
  readonly snapshots: boolean;
  /** A cell that runs Python code can be interrupted without losing the guest. */
  readonly softInterrupt: boolean;
  /** Bash on the same files. */
  readonly bash: boolean;
  /** Nothing of the host can be read or reached from a cell. */
  readonly isolated: boolean;
  /** `memoryBytes` is enforced. */
  readonly memoryLimit: boolean;
  /** `diskBytes` is enforced. */
  readonly diskLimit: boolean;
}

/** Calls of one cell, one after the other. */
export const CALLS: number = process.env.FATHOM_SOAK === undefined ? 2_000 : 10_000;

/** Limits of the tests: short deadlines, small outputs. */
export const LIMITS: ReplLimits = {
  cellTimeoutMs: 20_000,
  outputChars: 20_000,
  outputBytes: 1024 * 1024,
  promptBytes: 4 * 1024 * 1024,
  maxBatchItems: 20_000,
  answerBytes: 1024 * 1024,
  memoryBytes: 1024 * 1024 * 1024,
  maxProcesses: 64,
  diskBytes: 256 * 1024 * 1024,
  maxSnapshots: 4,
  callWindow: 64,
};

type Later<T> = T | Promise<T>;

/** A host whose answers a test sets. */
export interface TestHost extends ReplHost {
  /** Sub-calls that came, in order. */
  readonly calls: SubCallRequest[];
  /** Answers sub-calls; a string is a good reply. */
  onCall: (call: SubCallRequest, signal: AbortSignal) => Later<string | SubCallReply>;
  onTool: (name: string, args: Readonly<Record<string, JsonValue>>, signal: AbortSignal) => Later<JsonValue>;
  onCheck: (json: string | null, text: string) => Later<readonly string[]>;
  onHistory: (read: HistoryRead) => Later<JsonValue>;
  onProjection: (read: ProjectionRead, signal: AbortSignal) => Later<JsonValue>;
  /** Back to the defaults. */
  reset(): void;
}

/** The text of a call's prompt. */
export function promptOf(call: SubCallRequest): string {
  if (call.kind === 'rlm') return call.query;
  return typeof call.prompt === 'string' ? call.prompt : JSON.stringify(call.prompt);
}

/** A reply that went well. */
export function goodReply(text: string, more: Partial<SubCallReply> = {}): SubCallReply {
  const usage = { inputTokens: 3, outputTokens: 2, costUsd: 0.5 };
  return { ok: true, text, truncated: false, usage, ...more };
}

/** A reply that failed. */
export function badReply(code: string, message: string, left?: JsonValue): SubCallReply {
  const usage = { inputTokens: 0, outputTokens: 0, costUsd: null };
  const error = left === undefined ? { code, message } : { code, message, left };
  return { ok: false, text: '', truncated: false, usage, error };
}

/** A host that echoes. */
export function testHost(): TestHost {
  const calls: SubCallRequest[] = [];
  const host: TestHost = {
    calls,
    onCall: (call) => `echo: ${promptOf(call)}`,
    onTool: (name, args) => ({ name, args }),
    onCheck: () => [],
    onHistory: () => 0,
    onProjection: () => 0,
    reset() {
      Object.assign(host, defaults);
      calls.length = 0;
    },
    async subCall(call, signal) {
      calls.push(call);
      const reply = await host.onCall(call, signal);
      return typeof reply === 'string' ? goodReply(reply) : reply;
    },
    callTool: async (name, args, signal) => host.onTool(name, args, signal),
    checkAnswer: async (json, text) => ({ errors: await host.onCheck(json, text) }),
    readHistory: async (read) => host.onHistory(read),
    readProjection: async (read, signal) => host.onProjection(read, signal),
  };
  const { onCall, onTool, onCheck, onHistory, onProjection } = host;
  const defaults = { onCall, onTool, onCheck, onHistory, onProjection };
  return host;
}

/** The parts that the tests of one topic share. */
export interface Bench {
  readonly capabilities: ReplCapabilities;
  readonly host: TestHost;
  /** The topic's REPL. */
  readonly repl: Repl;
  /** Runs a cell in it. */
  run(code: string): Promise<CellOutcome>;
  /** Runs a cell that must not fail and gives the `repr` of its value. */
  value(code: string): Promise<string | null>;
  /** Runs a cell that must fail and gives its error. */
  failure(code: string): Promise<{ readonly type: string; readonly message: string; readonly traceback: string }>;
  /** A REPL of its own, with other limits; closed after the topic. */
  open(limits?: Partial<ReplLimits>): Promise<Repl>;
  /**
   * Replaces the topic's REPL by a fresh one, after a test that filled its memory: the heap of the embedded REPL never shrinks,
   * and the snapshot after each later cell would compare all of it.
   */
  renew(): Promise<void>;
}

/** Opens one REPL for the tests of the surrounding `describe`. */
export function useBench(openBackend: () => Promise<ReplBackend>, capabilities: ReplCapabilities): Bench {
  const host = testHost();
  const opened: Repl[] = [];
  let backend: ReplBackend | undefined;
  let shared: Repl | undefined;
  let cells = 0;

  async function open(limits: Partial<ReplLimits> = {}): Promise<Repl> {
    if (backend === undefined) throw new Error('the backend is not open');
    const repl = await backend.open({ limits: { ...LIMITS, ...limits }, host, least: capabilities.least });
    opened.push(repl);
    return repl;
  }

  beforeAll(async () => {
    backend = await openBackend();
    shared = await open();
  });
  beforeEach(() => host.reset());
  afterAll(async () => {
    for (const repl of opened) await repl.close();
    await backend?.close();
  });

  const bench: Bench = {
    capabilities,
    host,
    get repl() {
      if (shared === undefined) throw new Error('the REPL is not open');
      return shared;
    },
    run(code) {
      cells += 1;
      return bench.repl.execute({ code, handle: `t${cells}.0` });
    },
    async value(code) {
      const outcome = await bench.run(code);
      expect(outcome.error).toBeNull();
      return outcome.value;
    },
    async failure(code) {
      const { ok, error } = await bench.run(code);
      expect(ok).toBe(false);
      if (error === null) throw new Error('the cell did not fail');
      return error;
    },
    open,
    async renew() {
      await bench.repl.close();
      shared = await open();
    },
  };
  return bench;
}
