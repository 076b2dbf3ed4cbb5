import type { LoopEnd } from '../completion/complete.ts';
import { TrajectoryRecorder } from '../completion/trajectory-recorder.ts';
import { CompletionError, type CompletionResult, type ResultBase } from '../engine/result.ts';
import type { RunContext } from '../engine/run.ts';
import { cancelledBecause } from '../engine/stop-control.ts';
import { RlmError } from '../errors.ts';
import type { Outcome, StopReason } from '../event/event.ts';
import { ModelError } from '../model/index.ts';
import type { IsolationLevel } from '../repl/port.ts';
import type { StartOptions } from './execute-run.ts';
import type { RunFrame } from './frame.ts';

/** How a run stands, from its first moment to its one terminal record: no way of ending loses what was gained. */
export class RunStanding {
  readonly #options: StartOptions;
  readonly #startedAt: number;
  #run: RunContext | undefined;
  #isolation: IsolationLevel;
  #begun = false;
  #stoppedInQueue = false;
  /** Its end, once that was told. */
  #ended: CompletionResult<unknown> | undefined;
  recorder: TrajectoryRecorder;

  constructor(options: StartOptions) {
    this.#options = options;
    this.#startedAt = options.startedAt ?? options.engine.clock.now();
    this.#isolation = options.engine.defaults.isolation;
    this.recorder = this.#newRecorder('');
  }

  /** The request was right; models are known. */
  prepared(run: RunContext): void {
    this.#run = run;
    this.recorder = this.#newRecorder(run.models.at(run.depth).id);
  }

  /** The REPL is open. */
  opened(isolation: IsolationLevel): void {
    this.#isolation = isolation;
  }

  /** It is on record, and its work begins. */
  begun(): void {
    this.#begun = true;
  }

  /** It was stopped while it waited for a REPL. */
  stoppedInQueue(): void {
    this.#stoppedInQueue = true;
  }

  /** The end of a run whose time was up before its work could begin. */
  tooLate(): LoopEnd | undefined {
    const { limit, cancelled, hardSignal } = this.#frame.stop;
    if (this.#begun || limit === undefined || cancelled !== undefined) return undefined;
    if (!hardSignal.aborted && !this.#stoppedInQueue) return undefined;
    this.#options.events.emit({ type: 'limit.reached', limit: limit.stop, value: 0, message: limit.reason });
    return { kind: 'limit', limit, best: { value: undefined, text: '' } };
  }

  /** The loop has ended: the result, and its terminal record. */
  ended(end: LoopEnd): CompletionResult<unknown> {
    if (end.kind === 'answered') {
      const { stop, value, text } = end.answer;
      const result = { ...this.#base(stop, text), outcome: 'converged' as const, answer: value };
      this.#ended = result;
      this.#record('converged', result, undefined);
      return result;
    }
    const { limit, best } = end;
    const result = {
      ...this.#base(limit.stop, best.text),
      outcome: 'exhausted' as const,
      answer: best.value,
      reason: limit.reason,
    };
    this.#ended = result;
    this.#record('exhausted', result, limit.reason);
    return result;
  }

  /** The run cannot go on: the error to reject with, and the terminal record. */
  failed(error: unknown): CompletionError {
    const cause = RlmError.isInstance(error)
      ? error
      : new RlmError({ code: 'repl-failure', message: `Fathom failed: ${String(error)}`, cause: error });
    const aborted = this.#frame.stop.cancelled !== undefined;
    const outcome = aborted ? 'aborted' : 'failed';
    const reason = aborted ? (this.#frame.stop.cancelled ?? '') : cause.message;
    // An answer that could not be kept is told all the same; its terminal record stands.
    const text = this.#ended?.text ?? this.recorder.draft ?? '';
    const base = this.#base(aborted ? 'cancelled' : stopOf(cause), text);
    if (this.#ended === undefined) this.#record(outcome, base, reason);
    const resumable = !aborted && this.#canGoOn(cause);
    return new CompletionError({
      code: aborted ? 'cancelled' : cause.code,
      message: aborted ? cancelledBecause(reason) : cause.message,
      cause: error,
      retryable: cause.retryable,
      budget: cause.budget,
      userAction: cause.userAction,
      // A model error says that it is worth going on, which it is only where there is a run on record to go on with.
      data: { ...cause.data, resumable },
      result: { ...base, outcome, reason },
      resumable,
    });
  }

  /**
   * A run that is not on record cannot; one that was to go on and could not begin to is no worse off than before: what was
   * missing can be given yet.
   */
  #canGoOn(cause: RlmError): boolean {
    const { recovered, previous } = this.#options;
    if (this.#begun) return cause instanceof ModelError || GOES_ON.has(cause.code);
    return previous !== undefined || (recovered !== undefined && recovered.attempts.length > 0);
  }

  get #frame(): RunFrame {
    return this.#options.frame;
  }

  #newRecorder(rootModel: string): TrajectoryRecorder {
    const { identity, request, parent } = this.#options;
    return new TrajectoryRecorder({
      runId: identity.runId,
      ...(identity.parentRunId !== undefined && { parentRunId: identity.parentRunId }),
      depth: parent === undefined ? 0 : parent.depth + 1,
      query: request.query,
      rootModel,
    });
  }

  #base(stop: StopReason, text: string): ResultBase {
    const { clock } = this.#options.engine;
    const { ledger } = this.#frame;
    return {
      runId: this.#options.identity.runId,
      stop,
      text,
      turns: this.recorder.turns,
      subCalls: ledger.subCalls,
      elapsedMs: clock.now() - this.#startedAt,
      usage: ledger.usage(),
      isolation: this.#isolation,
      trajectory: this.recorder.trajectory(clock.now()),
    };
  }

  #record(outcome: Outcome, base: ResultBase, reason: string | undefined): void {
    const run = this.#run;
    const modelAt = (depth: number): string => run?.models.inUse(run.models.at(depth)).id ?? '';
    const depth = run?.depth ?? 0;
    this.#options.events.emit({
      type: 'run.completed',
      outcome,
      stop: base.stop,
      turns: base.turns,
      subCalls: base.subCalls,
      inputTokens: base.usage.inputTokens,
      outputTokens: base.usage.outputTokens,
      costUsd: base.usage.costUsd,
      elapsedMs: base.elapsedMs,
      ...(reason !== undefined && { reason }),
      rootModel: modelAt(depth),
      subCallModel: modelAt(depth + 1),
      ...compression(run, base),
    });
  }
}

/** Context characters per input token the root model read. */
function compression(run: RunContext | undefined, base: ResultBase): { readonly compressionRatio?: number } {
  if (run === undefined) return {};
  const contexts = run.contexts.kind === 'one' ? [run.contexts.context] : [...run.contexts.contexts.values()];
  const chars = contexts.reduce(
    (sum, { size = 0, unit }) => sum + (unit === 'characters' || unit.startsWith('bytes') ? size : 0),
    0,
  );
  const rootTokens = base.usage.byDepth[String(run.depth)]?.inputTokens ?? 0;
  return chars > 0 && rootTokens > 0 ? { compressionRatio: chars / rootTokens } : {};
}

/** Not the request's fault: the run can go on from its journal in another REPL, or when the disk has room again. */
const GOES_ON: ReadonlySet<string> = new Set(['repl-failure', 'channel-violation', 'store-failure']);

const REPL_CODES: ReadonlySet<string> = new Set([
  'repl-failure',
  'channel-violation',
  'isolation-unavailable',
  'context-invalid',
  'context-not-found',
]);

/** Requests that were wrong before a model was asked end as what they would have hindered. */
function stopOf(cause: RlmError): StopReason {
  return REPL_CODES.has(cause.code) ? 'repl-failure' : 'model-failure';
}
