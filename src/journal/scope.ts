import type { Durability, JournalEntry } from '../store/port.ts';
import type { EntryBodies, EntryKind } from './entries.ts';
import {
  type ChildRun,
  type CommandCheck,
  type CommandRecord,
  type CommandRun,
  type Divergence,
  type JournalRelay,
  type JournalScope,
  notRecorded,
  type Step,
  type StepCall,
  type Unrecorded,
} from './port.ts';
import { type JournalRecord, keyInScope } from './record.ts';
import { StepAttempts } from './step-attempts.ts';
import { digest, type Ordinals, stepKey } from './step-key.ts';

/** State that all scopes of a journal share. */
export interface ScopeCore {
  readonly record: JournalRecord;
  readonly ordinals: Ordinals;
  unrecorded: Unrecorded;
  /** All entries below a scope. */
  readBelow(path: string): Promise<readonly JournalEntry[]>;
  /** As the store's. */
  ownedForMs(): number | Promise<number>;
  write<K extends EntryKind>(
    kind: K,
    key: string,
    body: Omit<EntryBodies[K], 'at'>,
    durability?: Durability,
  ): Promise<void>;
}

interface BegunStep {
  readonly key: string;
  readonly call: StepCall;
  readonly again: boolean;
  readonly beginning: string | undefined;
}

/** A step that is made from its recorded beginning alone. */
function replayed(key: string, beginning: string): Step {
  const refuse = (): never => {
    throw notRecorded();
  };
  return { key, again: true, beginning, begun: refuse, toolBegins: refuse, account: refuse, child: refuse };
}

/** One completion's part of a journal. */
export class Scope implements JournalScope {
  readonly path: string;
  readonly #core: ScopeCore;
  #listener: ((divergence: Divergence) => void) | undefined;

  constructor(core: ScopeCore, path: string) {
    this.#core = core;
    this.path = path;
  }

  get unrecorded(): Unrecorded {
    return this.#core.unrecorded;
  }

  get recordedSteps(): number {
    return this.#core.record.waiting(this.path);
  }

  async step<T>(call: StepCall, run: (step: Step) => Promise<T>): Promise<T> {
    const { record, ordinals } = this.#core;
    const key = ordinals.next(stepKey(this.path, call));
    call.onKey?.(key);
    const recorded = record.take(key);
    if (recorded !== undefined) return recorded.value as T;
    const beginning = record.beginning(key);
    if (this.unrecorded === 'refuse') {
      if (beginning === undefined) throw notRecorded();
      return await run(replayed(key, beginning));
    }
    const again = record.begun(key);
    if (!again) this.#reportUnrecorded(call);
    return await this.#run({ key, call, again, beginning }, run);
  }

  recorded(call: StepCall): boolean {
    return this.#core.record.has(this.#core.ordinals.peek(stepKey(this.path, call)));
  }

  recordedCommand(id: string): CommandRecord | undefined {
    return this.#core.record.commands.get(keyInScope(this.path, id));
  }

  command({ id, source, shown, ok, timedOut, restarted }: CommandRun): CommandCheck {
    const recorded = this.recordedCommand(id);
    const shownHash = digest(shown);
    if (recorded === undefined) {
      const body = { source, shownHash, ok, ...(timedOut && { timedOut }), ...(restarted && { restarted }) };
      this.#core.write('command', keyInScope(this.path, id), body).catch(ignore);
      return 'live';
    }
    const missing = this.#core.record.waiting(this.path, id);
    const differences = [
      ...(recorded.source === source ? [] : ['its code is not the recorded code']),
      ...(recorded.shownHash === shownHash ? [] : ['its output differs from the recorded output']),
      ...(missing === 0 ? [] : [`it did not ask for ${missing} recorded ${missing === 1 ? 'result' : 'results'}`]),
    ];
    if (differences.length === 0) return 'same';
    this.#listener?.({ commandId: id, message: `Replaying ${id}: ${differences.join('; ')}.` });
    return 'diverged';
  }

  turn(turn: number, feedback: string): string {
    const key = keyInScope(this.path, `t${turn}`);
    const recorded = this.#core.record.turns.get(key);
    if (recorded !== undefined) return recorded;
    if (this.unrecorded === 'run') this.#core.write('turn', key, { turn, feedback }).catch(ignore);
    return feedback;
  }

  onDiverged(listener: (divergence: Divergence) => void): void {
    this.#listener = listener;
  }

  async #run<T>({ key, call, again, beginning }: BegunStep, run: (step: Step) => Promise<T>): Promise<T> {
    // After a resume its id in the events may be another one: the last record counts.
    if (call.asked !== undefined) this.#core.write('call', key, call.asked).catch(ignore);
    const attempts = new StepAttempts({
      key,
      kind: call.kind,
      write: (kind, at, body) => this.#core.write(kind, at, body),
      made: this.#core.record.attempts(key),
      ownedForMs: () => this.#core.ownedForMs(),
    });
    let value: T;
    try {
      const step: Step = {
        key,
        again,
        ...(beginning !== undefined && { beginning }),
        begun: (text) => this.#core.write('beginning', key, { text }, 'synced'),
        toolBegins: (name) => this.#core.write('tool', key, { name }),
        account: (account) => attempts.wrap(account),
        child: (newRunId) => this.#child(key, newRunId),
      };
      value = await run(step);
    } catch (error) {
      // A thrown error is not a result, but its cost is known. The error itself matters more than this write.
      await attempts.settleLast().catch(ignore);
      throw error;
    }
    const settled = attempts.takeLast();
    await this.#core.write('step', key, { value: value ?? null, ...(settled && { settled }) }, 'synced');
    return value;
  }

  #child(key: string, newRunId: string): ChildRun {
    const known = this.#core.record.children.get(key);
    if (known === undefined) this.#core.write('child', key, { runId: newRunId }).catch(ignore);
    const relay: JournalRelay = {
      append: ({ kind, key: at, body }, durability) => {
        const { at: _, ...rest } = body as { readonly at: number };
        return this.#core.write(kind as EntryKind, at, rest as never, durability);
      },
      entries: () => this.#core.readBelow(key),
      ownedForMs: () => this.#core.ownedForMs(),
    };
    return { runId: known ?? newRunId, journal: new Scope(this.#core, key), resumed: known !== undefined, relay };
  }

  #reportUnrecorded({ command, kind }: StepCall): void {
    if (command === undefined || this.recordedCommand(command) === undefined) return;
    const what = kind === 'tool' ? 'a tool call' : 'a call';
    this.#listener?.({ commandId: command, message: `Replaying ${command}: it made ${what} that is not recorded.` });
  }
}

function ignore(): void {}
