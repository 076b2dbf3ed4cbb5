import type { Resource } from '../ledger/index.ts';
import type { SubCall } from '../trajectory.ts';

/** How a command asked, for hints: flat calls that were not items of a batch, and the longest prompt in characters. */
export interface AskedCalls {
  readonly singleCalls: number;
  readonly longestPrompt: number;
}

/** The sub-calls of the command that runs, and the counts of its turn. */
export class SubCallTally {
  #command = '';
  #turn = 0;
  #started = 0;
  #asked: AskedCalls = { singleCalls: 0, longestPrompt: 0 };
  #calls: { readonly call: SubCall; readonly order: number }[] = [];
  readonly #underWay = new Set<Promise<unknown>>();
  /** Sub-calls of the turn that were sent. */
  sent = 0;
  /** Sub-calls of the turn the ledger refused, by the resource that was short. */
  refusals: Map<Resource, number> = new Map();
  /** Typed answers of the turn that did not fit, each with every error. */
  invalidAnswers: (readonly string[])[] = [];

  /** The handle of the command that runs, e.g. `t3.0`. */
  get command(): string {
    return this.#command;
  }

  /** The turn that runs, from 1. */
  get turn(): number {
    return this.#turn;
  }

  /** How the command has asked so far. */
  get asked(): AskedCalls {
    return this.#asked;
  }

  /** The command asks for a flat call. */
  noteFlatCall({ chars, batched }: { readonly chars: number; readonly batched: boolean }): void {
    const { singleCalls, longestPrompt } = this.#asked;
    this.#asked = {
      singleCalls: singleCalls + (batched ? 0 : 1),
      longestPrompt: Math.max(longestPrompt, chars),
    };
  }

  /** The number of a sub-call that begins, from 1 in the run. */
  nextCall(): number {
    return ++this.#started;
  }

  /** A turn begins. */
  reset(turn: number): void {
    this.#turn = turn;
    this.sent = 0;
    this.refusals = new Map();
    this.invalidAnswers = [];
  }

  /** A command begins. */
  begin(id: string): void {
    this.#command = id;
    this.#calls = [];
    this.#asked = { singleCalls: 0, longestPrompt: 0 };
  }

  /** The command has ended. Returns its sub-calls in the order in which they began. */
  end(): readonly SubCall[] {
    return this.#calls.sort((a, b) => a.order - b.order).map(({ call }) => call);
  }

  /** A request of the command begins; it is known until it has ended, however that comes about. */
  watch<T>(request: Promise<T>): Promise<T> {
    this.#underWay.add(request);
    const ended = (): void => void this.#underWay.delete(request);
    request.then(ended, ended);
    return request;
  }

  /**
   * Resolves when nothing of the command is under way any more. Its end has aborted what it left behind: that is paid
   * for, recorded and closed before anybody goes on from it.
   */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  /** A sub-call of the command has ended. Calls end in any order; `order` says in which they began. */
  add(call: SubCall, { order, sent }: { readonly order: number; readonly sent: boolean }): void {
    this.#calls.push({ call, order });
    if (sent) this.sent++;
  }

  /** The ledger refused a sub-call. */
  refuse(resource: Resource): void {
    this.refusals.set(resource, (this.refusals.get(resource) ?? 0) + 1);
  }
}
