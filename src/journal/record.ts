import type { JournalEntry } from '../store/port.ts';
import type { BeginBody, BeginningBody, ChildBody, CommandBody, SettleBody, StepBody, TurnBody } from './entries.ts';
import type { CommandRecord, Recovered, RecoveredAttempt } from './port.ts';
import { placeOf, scopeOf, scopePrefix } from './step-key.ts';

interface Begun {
  readonly key: string;
  readonly body: BeginBody;
  settled?: SettleBody;
}

/** An attempt without a settlement: it was in flight when its process died. */
export interface UnsettledAttempt {
  readonly key: string;
  readonly attempt: number;
  readonly settlement: NonNullable<SettleBody['settlement']>;
}

/** The entries of a journal when it was opened, by key. */
export class JournalRecord {
  readonly children: Map<string, string> = new Map();
  readonly commands: Map<string, CommandRecord> = new Map();
  /** Feedback by scope and turn, e.g. `t3`. */
  readonly turns: Map<string, string> = new Map();
  /** Recorded beginnings of replies, by the key of their step. */
  readonly #beginnings = new Map<string, string>();
  readonly #steps = new Map<string, { readonly value: unknown }>();
  /** Attempts by key and number. */
  readonly #begun = new Map<string, Begun>();
  /** Attempts made, by key. */
  readonly #made = new Map<string, number>();
  /** Keys of tool calls that began. */
  readonly #tools = new Set<string>();
  /** Recorded steps not yet asked for, by scope and by place in it. */
  readonly #waiting = new Map<string, Map<string, number>>();
  #elapsedMs = 0;

  constructor(entries: readonly JournalEntry[]) {
    for (const entry of entries) this.#take(entry);
  }

  /** Takes the record of a step, once. */
  take(key: string): { readonly value: unknown } | undefined {
    const record = this.#steps.get(key);
    if (record === undefined) return undefined;
    this.#steps.delete(key);
    this.#count(key, -1);
    return record;
  }

  /** The step has a record that was not taken, or the beginning of one. */
  has(key: string): boolean {
    return this.#steps.has(key) || this.#beginnings.has(key);
  }

  /** The step had begun: an attempt of it was sent, its child had a run id, or its tool was called. */
  begun(key: string): boolean {
    return this.#made.has(key) || this.children.has(key) || this.#tools.has(key);
  }

  /** The beginning of the reply that a step was to give: cells of it have run. */
  beginning(key: string): string | undefined {
    return this.#beginnings.get(key);
  }

  /** How many attempts of a step were made. */
  attempts(key: string): number {
    return this.#made.get(key) ?? 0;
  }

  /** Recorded steps of a scope, or of one command of it, that have not been asked for. */
  waiting(scope: string, place?: string): number {
    const places = this.#waiting.get(scope);
    if (places === undefined) return 0;
    if (place !== undefined) return places.get(place) ?? 0;
    let sum = 0;
    for (const count of places.values()) sum += count;
    return sum;
  }

  /** Keys of all steps there is a trace of, and those that a replay has to come by: the others were thrown away. */
  keys(): { readonly all: Iterable<string>; readonly expected: ReadonlySet<string> } {
    const expected = new Set([
      ...this.#steps.keys(),
      ...this.children.keys(),
      ...this.#tools,
      ...this.#beginnings.keys(),
    ]);
    for (const { key, settled } of this.#begun.values()) {
      if (settled === undefined || settled.inFlight) expected.add(key);
    }
    return { all: new Set([...expected, ...this.#made.keys()]), expected };
  }

  /**
   * Attempts in flight at the end, settled at their worst case, which the ledger had reserved, and marked as possibly billed: a
   * provider may complete, and charge for, a reply that no process waits for any more.
   */
  unsettled(): readonly UnsettledAttempt[] {
    const unsettled: UnsettledAttempt[] = [];
    for (const begun of this.#begun.values()) {
      if (begun.settled !== undefined) continue;
      const { inputTokens, maxOutputTokens } = begun.body;
      const usage = { inputTokens, outputTokens: maxOutputTokens, estimated: true };
      const settlement = { usage, possiblyBilled: true };
      begun.settled = { at: this.#elapsedMs, attempt: begun.body.attempt, settlement, inFlight: true };
      unsettled.push({ key: begun.key, attempt: begun.body.attempt, settlement });
    }
    return unsettled;
  }

  recovered(): Recovered {
    const attempts: RecoveredAttempt[] = [];
    const subCalls = new Set<string>(this.children.keys());
    for (const { key, body, settled } of this.#begun.values()) {
      if (settled?.settlement === undefined) continue;
      const { attempt, kind, model } = body;
      if (kind === 'sub') subCalls.add(key);
      const inFlight = settled.inFlight === true;
      attempts.push({ kind, scope: scopeOf(key), key, attempt, model, settlement: settled.settlement, inFlight });
    }
    return { steps: this.#steps.size, subCalls: subCalls.size, attempts, elapsedMs: this.#elapsedMs };
  }

  #take({ kind, key, body }: JournalEntry): void {
    const stamp = (body as { readonly at?: unknown } | null)?.at;
    if (typeof stamp === 'number') this.#elapsedMs = Math.max(this.#elapsedMs, stamp);
    switch (kind) {
      case 'begin':
        this.#takeBegin(key, body as unknown as BeginBody);
        break;
      case 'settle':
        this.#takeSettle(key, body as unknown as SettleBody);
        break;
      case 'step':
        this.#takeStep(key, body as unknown as StepBody);
        break;
      case 'beginning':
        this.#beginnings.set(key, (body as unknown as BeginningBody).text);
        break;
      case 'child':
        this.children.set(key, (body as unknown as ChildBody).runId);
        break;
      case 'tool':
        this.#tools.add(key);
        break;
      case 'command':
        this.commands.set(key, toCommand(key, body as unknown as CommandBody));
        break;
      case 'turn':
        this.turns.set(key, (body as unknown as TurnBody).feedback);
        break;
      case 'call': // For people alone.
        break;
      default: // An entry of a newer version: this version cannot read it and continues without it.
    }
  }

  #takeBegin(key: string, body: BeginBody): void {
    this.#begun.set(`${key} ${body.attempt}`, { key, body });
    this.#made.set(key, Math.max(this.attempts(key), body.attempt));
  }

  #takeSettle(key: string, body: SettleBody): void {
    const begun = this.#begun.get(`${key} ${body.attempt}`);
    if (begun !== undefined) begun.settled = body;
  }

  #takeStep(key: string, { at, value, settled }: StepBody): void {
    if (this.#steps.has(key)) return;
    this.#steps.set(key, { value });
    this.#count(key, 1);
    if (settled !== undefined) this.#takeSettle(key, { at, ...settled });
  }

  #count(key: string, by: number): void {
    const scope = scopeOf(key);
    const places = this.#waiting.get(scope) ?? new Map<string, number>();
    const place = placeOf(key);
    places.set(place, (places.get(place) ?? 0) + by);
    this.#waiting.set(scope, places);
  }
}

/** Key of a command or turn in its scope. */
export function keyInScope(scope: string, place: string): string {
  return `${scopePrefix(scope)}${place}`;
}

function toCommand(key: string, body: CommandBody): CommandRecord {
  const id = key.slice(scopeOf(key) === '' ? 0 : scopeOf(key).length + 1);
  const { source, shownHash, ok, timedOut = false, restarted = false } = body;
  return { id, source, shownHash, ok, timedOut, restarted };
}
