import type { LoopEnd } from '../completion/complete.ts';
import { TrajectoryRecorder } from '../completion/turn-record.ts';
import { defined } from '../defined.ts';
import { CompletionError, type CompletionResult, type ResultBase } from '../engine/result.ts';
import type { OpenRun, Run } from '../engine/run.ts';
import { cancelledBecause } from '../engine/stop-control.ts';
import { RlmError } from '../errors.ts';
import type { Outcome, Route, StopReason } from '../event/event.ts';
import { EVENT_ANSWER_CHARS } from '../limits.ts';
import { ModelError } from '../model/index.ts';
import type { IsolationLevel } from '../repl/port.ts';

/** Tracks a run's state from its first moment, and builds its result, its error and its one terminal event. */
export class RunOutcome {
  readonly #open: OpenRun;
  #run: Run | undefined;
  #isolation: IsolationLevel;
  #route: Route | undefined;
  #begun = false;
  #stored = false;
  #stoppedInQueue = false;
  /** The result, once its terminal event is emitted. */
  #ended: CompletionResult<unknown> | undefined;
  recorder: TrajectoryRecorder;

  constructor(open: OpenRun) {
    this.#open = open;
    this.#isolation = open.engine.defaults.isolation;
    this.recorder = this.#newRecorder('');
  }

  /** The request is valid; models are known. */
  prepared(run: Run): void {
    this.#run = run;
    this.recorder = this.#newRecorder(run.models.at(run.depth).id);
  }

  /** The way it is answered. */
  routed(route: Route): void {
    this.#route = route;
  }

  /** The REPL is open. */
  opened(isolation: IsolationLevel): void {
    this.#isolation = isolation;
  }

  /** The run has its record in the store. */
  stored(): void {
    this.#stored = true;
  }

  /** The run is stored; its work begins. */
  begun(): void {
    this.#begun = true;
  }

  /** The run was stopped while it waited for a REPL. */
  stoppedInQueue(): void {
    this.#stoppedInQueue = true;
  }

  /** The end of a run whose time was over before its work could begin. */
  tooLate(): LoopEnd | undefined {
    const { limit, cancelled, hardSignal } = this.#open.stop;
    if (this.#begun || limit === undefined || cancelled !== undefined) return undefined;
    if (!hardSignal.aborted && !this.#stoppedInQueue) return undefined;
    this.#open.events.emit({ type: 'limit.reached', limit: limit.stop, value: 0, message: limit.reason });
    return { kind: 'limit', limit, best: { value: undefined, text: '' } };
  }

  /** The loop has ended: builds the result and emits the terminal event. */
  ended(end: LoopEnd): CompletionResult<unknown> {
    if (end.kind === 'answered') {
      const { stop, value, text, evidence } = end.answer;
      const result = {
        ...this.#base(stop, text),
        ...defined({ evidence }),
        outcome: 'converged' as const,
        answer: value,
      };
      this.#ended = result;
      this.#record('converged', result, undefined);
      return result;
    }
    const { limit, best } = end;
    const result = {
      ...this.#base(limit.stop, best.text),
      ...defined({ evidence: best.evidence }),
      outcome: 'exhausted' as const,
      answer: best.value,
      reason: limit.reason,
    };
    this.#ended = result;
    this.#record('exhausted', result, limit.reason);
    return result;
  }

  /** The run cannot continue: builds the error to reject with and emits the terminal event. */
  failed(error: unknown): CompletionError {
    const cause = RlmError.isInstance(error)
      ? error
      : new RlmError({ code: 'repl-failure', message: `Fathom failed: ${String(error)}`, cause: error });
    const aborted = this.#open.stop.cancelled !== undefined;
    const outcome = aborted ? 'aborted' : 'failed';
    const reason = aborted ? (this.#open.stop.cancelled ?? '') : cause.message;
    // The error has the answer even where it could not be stored; the terminal event stays.
    const text = this.#ended?.text ?? this.recorder.draft ?? '';
    const base = this.#base(aborted ? 'cancelled' : stopOf(cause), text);
    if (this.#ended === undefined) this.#record(outcome, base, reason);
    const resumable = aborted ? this.#isPaused() : this.#isResumable(cause);
    return new CompletionError({
      code: aborted ? 'cancelled' : cause.code,
      message: aborted ? cancelledBecause(reason) : cause.message,
      cause: error,
      retryable: cause.retryable,
      budget: cause.budget,
      userAction: cause.userAction,
      // A model error has `resumable: true`; it only holds where the run is stored.
      data: { ...cause.data, resumable },
      result: { ...base, outcome, reason },
      resumable,
    });
  }

  /** A session's run cannot be resumed, because its cells worked on variables of the session. */
  #isPaused(): boolean {
    const { stop, sessionId, resumed } = this.#open;
    return stop.paused && sessionId === undefined && (this.#stored || resumed !== undefined);
  }

  /**
   * Only a stored run can be resumed. A run that failed to begin again still can: the missing part can be given the next
   * time.
   */
  #isResumable(cause: RlmError): boolean {
    const { resumed, tree, parent } = this.#open;
    if (this.#begun || resumed?.queued === true) return cause instanceof ModelError || RESUMABLE_CODES.has(cause.code);
    const recovered = parent === undefined ? tree.recovered : undefined;
    return resumed?.previous !== undefined || (recovered !== undefined && recovered.attempts.length > 0);
  }

  #newRecorder(rootModel: string): TrajectoryRecorder {
    const { id, request, parent, depth } = this.#open;
    return new TrajectoryRecorder({
      runId: id,
      ...(parent !== undefined && { parentRunId: parent.id }),
      depth,
      query: request.query,
      rootModel,
    });
  }

  #base(stop: StopReason, text: string): ResultBase {
    const { id, clock, ledger, startedAt } = this.#open;
    return {
      runId: id,
      stop,
      text,
      turns: this.recorder.turns,
      subCalls: ledger.subCalls,
      elapsedMs: clock.now() - startedAt,
      usage: ledger.usage(),
      isolation: this.#isolation,
      ...(this.#route !== undefined && { route: this.#route }),
      trajectory: this.recorder.trajectory(clock.now()),
    };
  }

  #record(outcome: Outcome, base: ResultBase, reason: string | undefined): void {
    const run = this.#run;
    const modelAt = (depth: number): string => run?.models.inUse(run.models.at(depth)).id ?? '';
    const { depth } = this.#open;
    this.#open.events.emit({
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
      ...answerText(base.text),
      rootModel: modelAt(depth),
      subCallModel: modelAt(depth + 1),
      ...compression(run, base),
    });
  }
}

/** The answer for the event, cut where it is long. */
function answerText(text: string): { readonly text?: string; readonly textChars?: number } {
  if (text === '') return {};
  if (text.length <= EVENT_ANSWER_CHARS) return { text };
  const half = text.codePointAt(EVENT_ANSWER_CHARS - 1) ?? 0; // a pair is not cut in two
  return { text: text.slice(0, half > 0xffff ? EVENT_ANSWER_CHARS - 1 : EVENT_ANSWER_CHARS), textChars: text.length };
}

/** Context characters per input token the root model read. */
function compression(run: Run | undefined, base: ResultBase): { readonly compressionRatio?: number } {
  if (run === undefined) return {};
  const contexts = run.contexts.kind === 'one' ? [run.contexts.context] : [...run.contexts.contexts.values()];
  const chars = contexts.reduce(
    (sum, { size = 0, unit }) => sum + (unit === 'characters' || unit.startsWith('bytes') ? size : 0),
    0,
  );
  const rootTokens = base.usage.byDepth[String(run.depth)]?.inputTokens ?? 0;
  return chars > 0 && rootTokens > 0 ? { compressionRatio: chars / rootTokens } : {};
}

/** Not the request's fault: the run can be resumed from its journal in another REPL, or once the disk has space. */
const RESUMABLE_CODES: ReadonlySet<string> = new Set(['repl-failure', 'channel-violation', 'store-failure']);

const REPL_CODES: ReadonlySet<string> = new Set([
  'repl-failure',
  'channel-violation',
  'isolation-unavailable',
  'context-invalid',
  'context-not-found',
]);

/** The stop reason of a failure; an invalid request's depends on its invalid part. */
export function stopOf(cause: RlmError): StopReason {
  return REPL_CODES.has(cause.code) ? 'repl-failure' : 'model-failure';
}
