import { systemClock } from '../../src/clock.ts';
import { createLedger, type Usage } from '../../src/ledger/index.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import {
  type AttemptRecord,
  callModel,
  createRateControl,
  ModelError,
  type ModelReply,
  type RetryPolicy,
  resolveModel,
} from '../../src/model/index.ts';
import { describeFault } from './describe-fault.ts';
import type { MockProvider } from './index.ts';

/** Settings of one call in a fault test. */
export interface FaultCall {
  readonly ref?: string;
  readonly idleTimeoutMs?: number;
  readonly callTimeoutMs?: number;
  readonly firstByteTimeoutMs?: number;
  /** Default false: many of these servers answer by the order of their connections. */
  readonly measureWindow?: boolean;
  /** Milliseconds from now. */
  readonly deadlineMs?: number;
  readonly maxResponseBytes?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly retry?: Partial<RetryPolicy>;
}

/** One call as the user, the ledger and the log see it. */
export interface FaultOutcome {
  readonly reply: ModelReply | undefined;
  readonly error: ModelError | undefined;
  /** The log lines: one per failed attempt, one for the call when it failed. */
  readonly log: readonly string[];
  readonly attempts: readonly AttemptRecord[];
  readonly usage: Usage;
  readonly elapsedMs: number;
}

/** Backoff short enough for tests; the proportions are those of the real one. */
const QUICK: Partial<RetryPolicy> = { baseMs: 10, capMs: 50, unreachableMs: 200 };

/** One call through the whole model layer: registry, retries, rate control and a real ledger. */
export async function callMock(mock: Pick<MockProvider, 'env'>, options: FaultCall = {}): Promise<FaultOutcome> {
  const model = resolveModel(options.ref ?? 'openai/gpt-5', {
    env: options.env ?? mock.env,
    measureWindow: options.measureWindow ?? false,
    ...(options.maxResponseBytes === undefined ? {} : { maxResponseBytes: options.maxResponseBytes }),
  });
  const ledger = createLedger({ limits: DEFAULT_LIMITS, clock: systemClock, onWarning: () => {} });
  const tree = createRateControl({ clock: systemClock, coolDownMs: 10 }).openTree({ maxConcurrentCalls: 4 });
  const attempts: AttemptRecord[] = [];
  const log: string[] = [];
  const started = performance.now();
  const outcome = await callModel({
    model,
    request: { messages: [{ role: 'user', content: 'How many lines does the file have?' }], maxOutputTokens: 500 },
    account: ledger.account({ kind: 'sub' }),
    gate: tree.lane(),
    clock: systemClock,
    deadline: options.deadlineMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + options.deadlineMs,
    limits: {
      callTimeoutMs: options.callTimeoutMs ?? 10_000,
      callIdleTimeoutMs: options.idleTimeoutMs ?? 5_000,
      callFirstByteTimeoutMs: options.firstByteTimeoutMs ?? options.idleTimeoutMs ?? 5_000,
    },
    signal: options.signal ?? new AbortController().signal,
    retry: { ...QUICK, ...options.retry },
    onAttempt: (attempt) => {
      attempts.push(attempt);
      if (!attempt.outcome.ok) log.push(describeFault(attempt.outcome.error));
    },
  }).then(
    (reply) => ({ reply, error: undefined }),
    (error: unknown) => ({ reply: undefined, error: asModelError(error) }),
  );
  if (outcome.error !== undefined) log.push(describeFault(outcome.error));
  ledger.close();
  return { ...outcome, log, attempts, usage: ledger.usage(), elapsedMs: performance.now() - started };
}

function asModelError(error: unknown): ModelError {
  if (ModelError.isInstance(error)) return error;
  throw error;
}
