import type { Clock } from '../../clock.ts';
import type { ModelError } from '../model-error.ts';

/** How long a closed gate stays shut before one call finds out whether it still has to be. */
const CLOSED_MS = 30_000;

/**
 * A gate closed by an error that every further call would meet: a wrong key, a spent quota, an unknown model. It stays
 * closed for the trees that were open then; a tree opened later (somebody resumed the run) tries again.
 */
export interface Closure {
  readonly refusal: (treeOrder: number) => ModelError | undefined;
  /** Closes the gate if the error is of that kind; gives the error to refuse waiting calls with. */
  consider(error: ModelError, newestTree: number): ModelError | undefined;
  reopen(): void;
}

/** Starts open. */
export function createClosure(clock: Clock): Closure {
  let closed: { readonly error: ModelError; readonly newestTree: number; until: number } | undefined;
  return {
    refusal(treeOrder) {
      if (closed === undefined || treeOrder > closed.newestTree) return undefined;
      if (clock.now() < closed.until) return closed.error;
      closed.until = clock.now() + CLOSED_MS;
      return undefined;
    },
    consider(error, newestTree) {
      if (!error.stopsNewCalls && error.fault !== 'model') return undefined;
      const refusal = error.with({ usage: undefined, possiblyBilled: false });
      closed = { error: refusal, newestTree, until: clock.now() + CLOSED_MS };
      return refusal;
    },
    reopen() {
      closed = undefined;
    },
  };
}
