/**
 * How often a run begins again by itself. A machine that kills more REPLs than that within one run has a trouble that
 * its owner should hear of; the run can still be resumed.
 */
const MOST = 3;

/**
 * Decides whether a tree begins again after a REPL of it was killed from outside: its work is done again in new REPLs,
 * and what was paid is answered from the journal, as when a run is resumed. A command that is killed a second time is
 * taken to have done it itself; its model is told then.
 */
export class Healing {
  readonly #met = new Set<string>();
  #rounds = 0;
  #underWay = false;

  /** Whether what stands at `place` (a command of a completion) may be done again. */
  takes(place: string): boolean {
    if (!this.#underWay) {
      if (this.#rounds >= MOST || this.#met.has(place)) return false;
      this.#rounds += 1;
      this.#underWay = true;
    }
    this.#met.add(place);
    return true;
  }

  /** The tree has begun again. */
  begunAgain(): void {
    this.#underWay = false;
  }
}
