import type { Resource } from '../ledger/index.ts';

/** Counts the sub-calls of a turn and of the command that runs. */
export class SubCallTally {
  #command = '';
  #turn = 0;
  #made = 0;
  #failed = 0;
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
    this.#made = 0;
    this.#failed = 0;
  }

  /** The command has ended. */
  end(): { readonly made: number; readonly failed: number } {
    return { made: this.#made, failed: this.#failed };
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

  /** A sub-call of the command has ended. */
  count(ok: boolean, sent: boolean): void {
    this.#made++;
    if (sent) this.sent++;
    if (!ok) this.#failed++;
  }

  /** The ledger refused a sub-call. */
  refuse(resource: Resource): void {
    this.refusals.set(resource, (this.refusals.get(resource) ?? 0) + 1);
  }
}
