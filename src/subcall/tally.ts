import type { Resource } from '../ledger/index.ts';
import type { SubCall } from '../trajectory.ts';

/** How a command asked, for hints: flat calls that were not items of a batch, and the longest prompt in characters. */
export interface AskedCalls {
  readonly singleCalls: number;
  readonly longestPrompt: number;
}

/** The sub-calls of the current command, and the counts of its turn. */
export class SubCallTally {
  #command = '';
  #turn = 0;
  #started = 0;
  #asked: AskedCalls = { singleCalls: 0, longestPrompt: 0 };
  #calls: { readonly call: SubCall; readonly order: number }[] = [];
  readonly #underWay = new Set<Promise<unknown>>();
  /** Sub-calls of the turn that were sent. */
  sent = 0;
  /** Sub-calls of the turn that the ledger refused, by the resource that was short. */
  refusals: Map<Resource, number> = new Map();
  /** Typed answers of the turn that did not fit, with all errors of each. */
  invalidAnswers: (readonly string[])[] = [];

  /** The handle of the current command, e.g. `t3.0`. */
  get command(): string {
    return this.#command;
  }

  /** The current turn, from 1. */
  get turn(): number {
    return this.#turn;
  }

  /** How the command has asked so far. */
  get asked(): AskedCalls {
    return this.#asked;
  }

  /** Counts a flat call of the command. */
  noteFlatCall({ chars, batched }: { readonly chars: number; readonly batched: boolean }): void {
    const { singleCalls, longestPrompt } = this.#asked;
    this.#asked = {
      singleCalls: singleCalls + (batched ? 0 : 1),
      longestPrompt: Math.max(longestPrompt, chars),
    };
  }

  /** The number of the next sub-call, from 1 in the run. */
  nextCall(): number {
    return ++this.#started;
  }

  /** Begins a turn. */
  reset(turn: number): void {
    this.#turn = turn;
    this.sent = 0;
    this.refusals = new Map();
    this.invalidAnswers = [];
  }

  /** Begins a command. */
  begin(id: string): void {
    this.#command = id;
    this.#calls = [];
    this.#asked = { singleCalls: 0, longestPrompt: 0 };
  }

  /** Ends the command. Returns its sub-calls in the order in which they began. */
  end(): readonly SubCall[] {
    return this.#calls.sort((a, b) => a.order - b.order).map(({ call }) => call);
  }

  /** Tracks a request of the command until it has settled. */
  watch<T>(request: Promise<T>): Promise<T> {
    this.#underWay.add(request);
    const ended = (): void => void this.#underWay.delete(request);
    request.then(ended, ended);
    return request;
  }

  /**
   * Resolves when all requests of the command have settled. The end of a command aborts its open requests; they are paid,
   * recorded and closed before the run continues.
   */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  /** Adds a sub-call that has ended. Calls end in any order; `order` is that of their beginnings. */
  add(call: SubCall, { order, sent }: { readonly order: number; readonly sent: boolean }): void {
    this.#calls.push({ call, order });
    if (sent) this.sent++;
  }

  /** Counts a sub-call that the ledger refused. */
  refuse(resource: Resource): void {
    this.refusals.set(resource, (this.refusals.get(resource) ?? 0) + 1);
  }
}
