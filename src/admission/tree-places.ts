import { type ReplPlace, type ReplPlaces, replPlace, type WaitOptions } from './repl-places.ts';
import type { AdmittedTree, Grant } from './tree.ts';

/** The places of a run and its children. */
export interface TreePlaces extends ReplPlace {
  /** Waits for what the run needs before it starts; at once where it has that. @throws RlmError `overloaded`, or the signal's reason */
  enter(options: EnterOptions): Promise<void>;
  /** Waits for a child's place; `level` counts from 1. @throws the signal's reason when it fires first */
  enterChild(level: number, signal: AbortSignal): Promise<ReplPlace>;
}

export interface EnterOptions extends Pick<WaitOptions, 'signal' | 'onQueued'> {
  /** Levels of children with REPLs of their own below the run. */
  readonly levels: number;
}

export interface RunPlacesOptions {
  readonly places: ReplPlaces;
  /** It runs in a session's REPL, which has its place: it needs places for its children only. */
  readonly inSession: boolean;
  /** It may be refused when too many wait: nothing of it is done yet. */
  readonly refusable: boolean;
}

/** The places of a run: secured before it starts, kept when its REPLs are replaced, given back at its end. */
export function runPlaces({ places, inSession, refusable }: RunPlacesOptions): TreePlaces {
  let tree: AdmittedTree | undefined;
  // The run and its children: a REPL of a child may close after its run has ended.
  let open = 1;
  const closed = (): void => {
    open -= 1;
    if (open === 0) tree?.leave();
  };
  return {
    ...replPlace(closed),
    async enter({ levels, ...wait }) {
      if (tree !== undefined || (inSession && levels === 0)) return;
      tree = await places.enterTree({ own: inSession ? 0 : 1, levels }, { ...wait, refusable });
    },
    async enterChild(level, signal) {
      const admitted = tree;
      if (admitted === undefined) throw new TypeError('a run has its places before its children ask for theirs');
      const request = (granted: (place: Grant) => void) => admitted.requestChild(level, granted);
      const grant = await places.wait(request, { signal, refusable: false });
      open += 1;
      return replPlace(() => {
        grant.leave();
        closed();
      });
    },
  };
}

/**
 * The places for children of a session's own cells: secured when the first child starts, given back when the last one
 * has ended. An idle session so has one place, that of its REPL.
 */
export function sessionPlaces(places: ReplPlaces, levels: number): Pick<TreePlaces, 'enterChild'> {
  let current:
    | { readonly tree: TreePlaces; readonly ready: Promise<void>; readonly stop: AbortController; users: number }
    | undefined;

  function use(): NonNullable<typeof current> {
    if (current === undefined) {
      const tree = runPlaces({ places, inSession: true, refusable: false });
      const stop = new AbortController();
      const ready = tree.enter({ levels, signal: stop.signal });
      // It is rejected when everybody has gone who waited for it.
      ready.catch(() => undefined);
      current = { tree, ready, stop, users: 0 };
    }
    current.users += 1;
    return current;
  }
  function leave(used: NonNullable<typeof current>): void {
    used.users -= 1;
    if (used.users > 0) return;
    used.stop.abort();
    used.tree.leave();
    if (current === used) current = undefined;
  }
  return {
    async enterChild(level, signal) {
      const used = use();
      try {
        await unlessAborted(used.ready, signal);
        const place = await used.tree.enterChild(level, signal);
        return replPlace(() => {
          place.leave();
          leave(used);
        });
      } catch (error) {
        leave(used);
        throw error;
      }
    },
  };
}

/** Waits for `work`. @throws the signal's reason when it fires first */
async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
