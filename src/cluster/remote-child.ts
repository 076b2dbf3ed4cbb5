import { setTimeout as delay } from 'node:timers/promises';
import type { CompletionResult } from '../engine/result.ts';
import type { ChildOptions } from '../engine/run.ts';
import { messageOf, RlmError } from '../errors.ts';
import type { JsonValue } from '../repl/port.ts';
import type { JournalEntry } from '../store/port.ts';
import { ToolError } from '../tools/toolbox.ts';
import { ChildAccount } from './child-account.ts';
import type { ChildCalls } from './child-calls.ts';
import type { ContextContent } from './context-content.ts';
import { errorFromJson, takenOver } from './error-json.ts';
import { type EnterBody, type LeaveBody, ModelSlots, type ObserveBody } from './model-slots.ts';
import { type IsPresent, watchPresence } from './presence.ts';
import { RelayedRuns } from './relayed-runs.ts';
import type { RemoteCall, RemoteCalls } from './remote-calls.ts';
import { answerPolicy, type PolicyQuestion } from './remote-policy.ts';

/** Milliseconds for which a child that is stopped may still report its end. */
const STOP_WAIT_MS = 3_000;

/** Parts of a child beside its request. */
interface Parts {
  /** The worker knows it by this id. */
  readonly childId: string;
  readonly calls: RemoteCalls;
  readonly isPresent: IsPresent;
  readonly content: ContextContent | undefined;
}

/**
 * A child that a worker runs, as the process sees it that asked for it. This process alone writes: the ledger reserves each call and the
 * journal records it here before the worker may send it, and the worker's events are emitted here.
 */
export class RemoteChild {
  readonly #options: ChildOptions;
  readonly #parts: Parts;
  readonly #account: ChildAccount;
  readonly #slots: ModelSlots;
  readonly #ended = Promise.withResolvers<CompletionResult<unknown>>();
  readonly #relayed: RelayedRuns;
  readonly #toolSignal = new AbortController();
  /** The child, and the children below it that the journal names: events of other runs are refused. */
  readonly #runs: Set<string>;
  /** Mailbox of the worker that has it. */
  #worker: string | undefined;
  /** Its execution there; calls of one before are refused, of the same worker as well. */
  #attempt: string | undefined;
  /** How long the queue keeps the child for that worker without hearing of it. */
  #leaseMs = 0;
  /** By `performance.now()`: until then a worker may send. */
  #permittedUntil = Number.NEGATIVE_INFINITY;
  #heardAt = performance.now();
  #unwatch: () => void = () => undefined;
  /** Why it was stopped. */
  #stopReason: string | undefined;

  private constructor(options: ChildOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.#account = new ChildAccount(options);
    this.#slots = new ModelSlots(options);
    this.#relayed = new RelayedRuns(options);
    this.#runs = new Set([options.child.runId]);
    this.#ended.promise.catch(() => undefined);
  }

  /** @throws RlmError `store-failure` */
  static async open(options: ChildOptions, parts: Parts): Promise<RemoteChild> {
    const child = new RemoteChild(options, parts);
    await child.#relayed.open(options.child.runId, options.parent.id, options.child.resumed);
    return child;
  }

  /** Its result. @throws CompletionError, and the reason of a stop */
  get ended(): Promise<CompletionResult<unknown>> {
    return this.#ended.promise;
  }

  /** Stops it, wherever it runs. */
  stop(reason: unknown): void {
    if (this.#stopReason !== undefined) return;
    this.#stopReason = messageOf(reason);
    const worker = this.#worker;
    const end = (): void => this.#ended.reject(reason);
    if (worker === undefined) {
      end();
      return;
    }
    const { calls, childId } = this.#parts;
    const body = { childId, reason: this.#stopReason };
    calls
      .ask(worker, { method: 'cancel', body, waitMs: STOP_WAIT_MS })
      .then(() => setTimeout(end, STOP_WAIT_MS).unref(), end);
  }

  /** Reports that no worker has taken it so far. */
  reportWaiting(): void {
    if (this.#worker === undefined) this.report('a child waits for a worker: `fathom worker` starts one');
  }

  /** Reports something about its way to a worker as progress of the run above it. */
  report(status: string): void {
    const { emit, limits } = this.#options.parent;
    emit({ type: 'run.progress', turn: 0, maxTurns: limits.maxTurns, fraction: 0, status });
  }

  /** Stops the run above it, which can be resumed: no worker can be reached. */
  fail(error: RlmError): void {
    this.#options.parent.stop.fail(error);
    this.stop(error);
  }

  /**
   * Attempts under way count as possibly billed; reservations that were not sent return. Runs whose end the worker did not report
   * get their terminal event here.
   */
  async close(): Promise<void> {
    this.#toolSignal.abort();
    this.#unwatch();
    this.#slots.close();
    this.#account.close();
    await this.#relayed.end(this.#stopReason ?? 'its worker reported no end');
  }

  /** Milliseconds since its worker was heard of. */
  get quietMs(): number {
    return performance.now() - this.#heardAt;
  }

  /** Answers a call of the worker. */
  async serve({ from, method, body }: RemoteCall): Promise<JsonValue> {
    this.#heardAt = performance.now();
    const { attempt } = body as { readonly attempt: string };
    if (method === 'hello') return await this.#greet(from, body as unknown as ChildCalls['hello']);
    if (attempt !== this.#attempt) throw takenOver();
    switch (method as keyof ChildCalls) {
      case 'confirm':
        return await this.#permit();
      case 'append':
        return await this.#append(attempt, body as unknown as ChildCalls['append']);
      case 'event':
        return await this.#emit(body as unknown as ChildCalls['event']);
      case 'reopen':
        return await this.#reopen(body as unknown as ChildCalls['reopen']);
      case 'tool':
        return await this.#callTool(body as unknown as ChildCalls['tool']);
      case 'enter':
        return await this.#slots.enter(body as unknown as EnterBody);
      case 'observe':
        return this.#slots.observe(body as unknown as ObserveBody);
      case 'leave':
        return this.#slots.leave(body as unknown as LeaveBody);
      case 'policy':
        return await this.#askPolicy(body as unknown as PolicyQuestion);
      case 'content': {
        const { offset } = body as unknown as ChildCalls['content'];
        return (await this.#parts.content?.part(offset))?.toString('base64') ?? '';
      }
      case 'end':
        return await this.#end(body as unknown as ChildCalls['end']);
      default:
        throw new RlmError({ code: 'invalid-option', message: `A worker called the unknown method ${method}.` });
    }
  }

  /** The worker that says hello last has it: the queue gave the job to it because the one before is gone. */
  async #greet(from: string, { attempt, leaseMs }: ChildCalls['hello']): Promise<JsonValue> {
    if (this.#stopReason !== undefined) throw new RlmError({ code: 'cancelled', message: 'This child was stopped.' });
    const again = this.#worker !== undefined;
    this.#worker = from;
    this.#attempt = attempt;
    this.#leaseMs = leaseMs;
    this.#unwatch();
    // The worker before may be out of reach, and send by the permission that it has.
    await delay(Math.max(0, this.#permittedUntil - performance.now()));
    if (attempt !== this.#attempt) throw takenOver();
    this.#unwatch = watchPresence(from, this.#parts.isPresent, () => this.#lose());
    if (again) {
      this.#slots.close();
      await this.#relayed.restart();
    }
    const { relay, resumed } = this.#options.child;
    // A thousand new children need not read the journal of all of them.
    const entries = again || resumed ? await relay.entries() : [];
    for (const entry of entries) this.#noteRun(entry);
    this.#account.noteRecorded(entries);
    return { entries: entries as unknown as JsonValue };
  }

  /** The worker is gone. Its turns are free at once: the worker that is to take the child over may be waiting for them. */
  #lose(): void {
    this.#attempt = undefined;
    this.#slots.close();
  }

  #noteRun({ kind, body }: JournalEntry): void {
    if (kind === 'child') this.#runs.add((body as { readonly runId: string }).runId);
  }

  #checkRun(runId: string): void {
    if (this.#runs.has(runId)) return;
    throw new RlmError({
      code: 'invalid-option',
      message: `A worker names the run ${runId}, which is not below its child.`,
    });
  }

  async #append(attempt: string, { entry, durability }: ChildCalls['append']): Promise<JsonValue> {
    const booked = await this.#account.before(entry, this.#options.signal);
    // It may have waited for room while another worker took the child over, which would not know of this attempt.
    if (attempt !== this.#attempt) {
      booked.undo();
      throw takenOver();
    }
    try {
      await this.#options.child.relay.append(entry, durability);
    } catch (error) {
      booked.undo();
      throw error;
    }
    booked.apply();
    this.#noteRun(entry);
    return entry.kind === 'begin' ? await this.#permit() : null;
  }

  /** How long the worker may send: not longer than this process owns the run, and than no other worker has the child. */
  async #permit(): Promise<number> {
    const ms = Math.min(await this.#options.child.relay.ownedForMs(), this.#leaseMs / 2);
    this.#permittedUntil = performance.now() + ms;
    return ms;
  }

  async #emit({ runId, parentRunId, body }: ChildCalls['event']): Promise<JsonValue> {
    this.#checkRun(runId);
    await this.#relayed.emit(runId, parentRunId, body);
    return null;
  }

  async #reopen({ runId, parentRunId }: ChildCalls['reopen']): Promise<JsonValue> {
    this.#checkRun(runId);
    await this.#relayed.open(runId, parentRunId, true);
    return null;
  }

  async #askPolicy(question: PolicyQuestion): Promise<JsonValue> {
    return await answerPolicy(this.#options.parent.engine.defaults.policy, question);
  }

  async #callTool({ name, args, toolCallId, repeated }: ChildCalls['tool']): Promise<JsonValue> {
    try {
      const signal = AbortSignal.any([this.#toolSignal.signal, this.#options.signal]);
      const options = { toolCallId, repeated, abortSignal: signal, messages: [] };
      return { value: await this.#options.parent.toolbox.call(name, args, options) };
    } catch (error) {
      return {
        error: {
          name: error instanceof ToolError || error instanceof Error ? error.name : 'Error',
          message: messageOf(error),
        },
      };
    }
  }

  async #end({ result, error }: ChildCalls['end']): Promise<JsonValue> {
    // A run that cannot be stored any more waits for this child as well.
    await this.#relayed.complete().catch((failure: unknown) => {
      this.#ended.reject(failure);
      throw failure;
    });
    if (error !== undefined) this.#ended.reject(errorFromJson(error));
    else this.#ended.resolve(result as unknown as CompletionResult<unknown>);
    return null;
  }
}
