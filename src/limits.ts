/**
 * Every limit of a completion: its unit, its default and why it has that value.
 *
 * @module
 */

import { availableParallelism, totalmem } from 'node:os';
import { isObject } from './argument-checks.ts';
import { defined } from './defined.ts';
import { RlmError } from './errors.ts';
import { nearest } from './option-names.ts';

/** All limits of one completion. Callers give a part; the rest takes {@link DEFAULT_LIMITS}. */
export interface Limits {
  /** Root-model replies in one completion, without the last call at a limit. Default 30: the paper's runs end well below. */
  readonly maxTurns: number;
  /** Levels of calls below the root: 0 none, 1 flat sub-calls, 2 children with their own REPL. Default 1, as in the paper. */
  readonly maxDepth: number;
  /** Sub-calls of the whole tree: flat calls, batch items and children each count one. Default 1 000. */
  readonly maxSubCalls: number;
  /** Tokens of the whole tree, input and output together. Default 2 000 000. */
  readonly maxTokens: number;
  /** US dollars for the whole tree. Default none (`undefined`); needs a known price of every model used. */
  readonly maxCostUsd: number | undefined;
  /** Milliseconds from start to result. Default 1 800 000 (30 minutes). */
  readonly maxDurationMs: number;
  /** Turns in a row in which a cell failed and none succeeded. Default 5: after that models repeat themselves. */
  readonly maxConsecutiveErrors: number;
  /** Turns in a row without a command that ran. Default 3. */
  readonly maxEmptyTurns: number;
  /** Tokens of one root reply, sent as the provider's maximum. Default 16 384. */
  readonly maxOutputTokens: number;
  /** Tokens of one sub-call reply. Default 8 192, and never above `maxOutputTokens`. */
  readonly maxSubCallOutputTokens: number;
  /** Failed validations of a typed answer in a row. Default 3. */
  readonly maxRepairs: number;
  /** Milliseconds of guest time per cell; time spent waiting for the host does not count. Default 120 000. */
  readonly cellTimeoutMs: number;
  /** Milliseconds for one model call, all attempts together. Default 300 000. */
  readonly callTimeoutMs: number;
  /** Milliseconds without a byte in the middle of a reply before an attempt is given up. Default 60 000. */
  readonly callIdleTimeoutMs: number;
  /**
   * Milliseconds to the first byte of a reply before an attempt is given up; it doubles after each such attempt of a call.
   * Default (`undefined`): 120 000, because reasoning models think in silence; for a server on this machine or its private
   * network, which may read a long prompt for minutes, all of `callTimeoutMs`.
   */
  readonly callFirstByteTimeoutMs: number | undefined;
  /** Model calls in flight per tree. Default 32. */
  readonly maxConcurrentCalls: number;
  /** Child completions at work per tree and depth, each with its own REPL. Default 16: REPLs take memory, not time. */
  readonly maxConcurrentChildren: number;
  /** Characters of a command's output shown to the model, errors included. Default 20 000: about 5 000 tokens. */
  readonly outputChars: number;
  /** Bytes of a command's output kept: the first and the last half of it. Default 16 MiB. */
  readonly outputBytes: number;
  /** Bytes of one sub-call's prompt or query, before anything is buffered on the host. Default 16 MiB. */
  readonly promptBytes: number;
  /** Items of one batch call. Default 100 000. */
  readonly maxBatchItems: number;
  /** Bytes of an answer. Default 8 MiB. */
  readonly answerBytes: number;
  /** Bytes of memory per REPL. Default 2 GiB. */
  readonly memoryBytes: number;
  /**
   * Processes per REPL, its own included, where the backend has processes. Default 64. Threads have a limit of their own,
   * {@link MAX_REPL_THREADS}.
   */
  readonly maxProcesses: number;
  /** Bytes of files per REPL. Default 1 GiB. */
  readonly diskBytes: number;
  /**
   * Bytes of context files that cells can open in one REPL, each counted as whole blocks of 4 KiB. A file above this is a
   * variable alone. They are memory where the REPL has its own file systems. Default 128 MiB; 0: no files.
   */
  readonly contextFileBytes: number;
  /** Milliseconds for one tool call or projection read. Default 60 000. */
  readonly toolTimeoutMs: number;
  /** Milliseconds for one statement of `sql` in a cell, without the time to load its tables. Default 30 000. */
  readonly sqlTimeoutMs: number;
  /**
   * Bytes of memory of SQLite in a REPL: tables that `sql` has loaded, and what statements sort and group. Default 256 MiB:
   * a table of a million rows and ten short columns, in an eighth of a REPL's memory.
   */
  readonly sqlMemoryBytes: number;
  /** Rows of one result of `sql`. More are an error of the cell: as dicts they would fill the REPL. Default 100 000. */
  readonly maxSqlRows: number;
  /** Live named snapshots per REPL. Default 10. */
  readonly maxSnapshots: number;
  /**
   * Bytes of all snapshots of a REPL, the automatic one included, where the backend keeps them in a file (`pyodide`). The
   * file is in the temporary folder, which is memory on many machines. Default 4 GiB: one full REPL and its changes.
   */
  readonly snapshotBytes: number;
}

/**
 * Threads per REPL beside the first of each process, where the backend has processes: enough for thread pools and
 * libraries that start one per processor, and few enough that their stacks and descriptors are bounded.
 */
export const MAX_REPL_THREADS = 192;

/** Bytes of a block of a file system: the least that a file takes. */
export const CONTEXT_FILE_BLOCK = 4096;

/** Estimated tokens of an answer that `rlmTool` gives to another agent's model: a tool's result stays in that model's window. */
export const TOOL_ANSWER_TOKENS = 8_192;

/** Share of the root model's window above which mode `auto` leaves a context to the loop: models find less in a fuller window. */
export const DIRECT_CONTEXT_SHARE = 0.35;
/** Share of the window that query, instructions and context together may fill in a direct call: the reply needs the rest. */
export const DIRECT_WINDOW_SHARE = 0.8;
/** Bytes of a context that a direct call reads: more than the largest window holds. */
export const DIRECT_CONTEXT_BYTES: number = 16 * 1024 ** 2;

/** Runs of one `rlm.map` at work at once, where the `Rlm` has so many REPLs: a run waits for its model most of its time. */
export const DEFAULT_MAP_RUNS = 16;

/**
 * Characters of an answer in the event `run.completed`: more than a page shows, and little beside the replies of a run in
 * its event log. The result has all of the answer.
 */
export const EVENT_ANSWER_CHARS = 65_536;

/**
 * Characters of one message of a sub-call that the journal keeps: about 260 000 tokens. Of a longer one it keeps the first
 * and the last half, so that a loop over prompts that every model refuses does not fill the disk.
 */
export const RECORDED_PROMPT_CHARS = 1_048_576;

const MIB = 1024 * 1024;

/** The defaults; each is explained at its field in {@link Limits}. */
export const DEFAULT_LIMITS: Limits = {
  maxTurns: 30,
  maxDepth: 1,
  maxSubCalls: 1_000,
  maxTokens: 2_000_000,
  maxCostUsd: undefined,
  maxDurationMs: 1_800_000,
  maxConsecutiveErrors: 5,
  maxEmptyTurns: 3,
  maxOutputTokens: 16_384,
  maxSubCallOutputTokens: 8_192,
  maxRepairs: 3,
  cellTimeoutMs: 120_000,
  callTimeoutMs: 300_000,
  callIdleTimeoutMs: 60_000,
  callFirstByteTimeoutMs: undefined,
  maxConcurrentCalls: 32,
  maxConcurrentChildren: 16,
  outputChars: 20_000,
  outputBytes: 16 * MIB,
  promptBytes: 16 * MIB,
  maxBatchItems: 100_000,
  answerBytes: 8 * MIB,
  memoryBytes: 2048 * MIB,
  maxProcesses: 64,
  diskBytes: 1024 * MIB,
  contextFileBytes: 128 * MIB,
  toolTimeoutMs: 60_000,
  sqlTimeoutMs: 30_000,
  sqlMemoryBytes: 256 * MIB,
  maxSqlRows: 100_000,
  maxSnapshots: 10,
  snapshotBytes: 4096 * MIB,
};

/** Runs that may wait for a REPL, of one `Rlm`: what a burst brings, and little memory, since none has begun. */
export const DEFAULT_MAX_QUEUED_RUNS = 2_000;

/**
 * Bytes of memory a REPL is expected to use. A `python` REPL uses 10 to 30 MB, a `pyodide` REPL 110 to 170 MB, and each
 * what its cells compute. `memoryBytes` is what a single one may use at most.
 */
const EXPECTED_REPL_BYTES = 192 * MIB;
/** REPLs use at most this part of the memory: the rest is for the host, for page caches and for cells that need more. */
const REPL_MEMORY_SHARE = 0.5;
/**
 * REPLs per core. A run computes for tens of milliseconds and waits for models for seconds, so a core serves many; more
 * than these would make each cell slower without more runs per second.
 */
const REPLS_PER_CORE = 32;
/** A small machine runs this many: half of them for sessions. */
const LEAST_DEFAULT_REPLS = 4;

/** The memory and the cores that this process may use. */
export interface Machine {
  /** Bytes, of the machine or of the container. */
  readonly memoryBytes: number;
  readonly cores: number;
}

/** This machine, or the container within it. */
export function thisMachine(): Machine {
  const constrained = process.constrainedMemory();
  // Without a limit it is 0, or more than there is.
  const memoryBytes = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return { memoryBytes, cores: availableParallelism() };
}

/** The default of `maxRepls`: as many REPLs as half the memory holds, and no more than the cores can serve. */
export function defaultMaxRepls({ memoryBytes, cores }: Machine = thisMachine()): number {
  const held = Math.floor((memoryBytes * REPL_MEMORY_SHARE) / EXPECTED_REPL_BYTES);
  return Math.max(LEAST_DEFAULT_REPLS, Math.min(held, cores * REPLS_PER_CORE));
}

/** Sessions keep their REPL while they are idle: at most half of all, so that runs always find some. */
export function maxSessionsOf(maxRepls: number): number {
  return Math.floor(maxRepls / 2);
}

/** Limits that may be 0 (none allowed); all others are at least 1. */
const MAY_BE_ZERO: ReadonlySet<string> = new Set([
  'maxDepth',
  'maxSubCalls',
  'maxRepairs',
  'maxSnapshots',
  'maxCostUsd',
  'contextFileBytes',
]);
/** Limits that a REPL enforces or that memory is set aside for: `Infinity` is refused. For all others it means no limit. */
const MUST_BE_FINITE: ReadonlySet<string> = new Set([
  'maxConcurrentCalls',
  'outputBytes',
  'promptBytes',
  'maxBatchItems',
  'answerBytes',
  'memoryBytes',
  'maxProcesses',
  'diskBytes',
  'contextFileBytes',
  'sqlMemoryBytes',
  'maxSqlRows',
  'maxSnapshots',
]);
/** Limits that may be fractions; all others are whole numbers. */
const MAY_BE_FRACTION: ReadonlySet<string> = new Set(['maxCostUsd']);

/**
 * The limits in force: `partial` over `base`, checked.
 *
 * @throws RlmError `invalid-limit` for an unknown name or a value that is not a number in range.
 */
export function resolveLimits(partial: Partial<Limits> = {}, base: Limits = DEFAULT_LIMITS): Limits {
  if (!isObject(partial)) throw invalidLimit('limits', partial, 'give an object of limits, such as { maxTurns: 10 }');
  const known = new Set(Object.keys(DEFAULT_LIMITS));
  for (const [name, value] of Object.entries(partial)) {
    if (!known.has(name)) {
      const meant = nearest(name, [...known]);
      const hint = meant === undefined ? `the limits are ${[...known].join(', ')}` : `did you mean ${meant}`;
      throw invalidLimit(name, value, `there is no such limit; ${hint}`);
    }
    if (value !== undefined) checkLimit(name, value);
  }
  const limits: Limits = { ...base, ...givenLimits(partial) };
  return partial.maxSubCallOutputTokens === undefined
    ? { ...limits, maxSubCallOutputTokens: Math.min(base.maxSubCallOutputTokens, limits.maxOutputTokens) }
    : limits;
}

/** Limits without those that are undefined, which would take the place of others when they are spread. */
export function givenLimits(partial: Partial<Limits>): Partial<Limits> {
  return defined(partial);
}

/**
 * Limits as they were before they went through JSON, which has no infinity: a limit that is null there was `Infinity`.
 */
export function recordedLimits(recorded: Partial<Limits>): Partial<Limits> {
  const entries = Object.entries(recorded as Readonly<Record<string, number | null>>);
  return Object.fromEntries(entries.map(([name, value]) => [name, value === null ? Number.POSITIVE_INFINITY : value]));
}

function checkLimit(name: string, value: unknown): void {
  if (typeof value !== 'number' || Number.isNaN(value)) throw invalidLimit(name, value, 'it must be a number');
  if (value < 0 || (value === 0 && !MAY_BE_ZERO.has(name))) {
    throw invalidLimit(name, value, `it must be ${MAY_BE_ZERO.has(name) ? 'at least 0' : 'above 0'}`);
  }
  if (value === Number.POSITIVE_INFINITY && MUST_BE_FINITE.has(name)) {
    throw invalidLimit(name, value, 'it must be finite, because a REPL enforces it; give a large number instead');
  }
  if (!MAY_BE_FRACTION.has(name) && value !== Number.POSITIVE_INFINITY && !Number.isInteger(value)) {
    throw invalidLimit(name, value, 'it must be a whole number');
  }
}

function invalidLimit(name: string, value: unknown, why: string): RlmError {
  return new RlmError({
    code: 'invalid-limit',
    message: `The limit ${name} = ${String(value)} is not valid: ${why}.`,
    userAction: true,
    data: { limit: name, value: typeof value === 'number' ? value : String(value) },
  });
}
