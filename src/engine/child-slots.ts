import type { ReplPlace } from '../admission/repl-places.ts';
import type { TreePlaces } from '../admission/tree-places.ts';

/**
 * Limits the children that run at once. Each has a REPL of its own, and REPLs are the scarcest resource of a machine. A
 * parent waits for its children, so slots are counted per depth: a run that waits for a slot waits for runs that need
 * only deeper slots, so no cycle of waits can form.
 */
export interface ChildSlots {
  /**
   * Waits for a slot, first come first served, and for room for the child's REPL. The returned place releases both.
   *
   * @throws the signal's reason when it fires first
   */
  enter(depth: number, signal: AbortSignal): Promise<ReplPlace>;
}

/** Slots for `most` children per depth, which have REPLs in `places`. */
export function createChildSlots(most: number, places: Pick<TreePlaces, 'enterChild'>): ChildSlots {
  const depths = new Map<number, Slots>();
  return {
    async enter(depth, signal) {
      let slots = depths.get(depth);
      if (slots === undefined) {
        slots = { free: most, waiting: new Set() };
        depths.set(depth, slots);
      }
      const taken = slots;
      await take(taken, signal);
      try {
        const place = await places.enterChild(depth, signal);
        return {
          until: (closed) => place.until(closed),
          leave() {
            giveBack(taken);
            place.leave();
          },
        };
      } catch (error) {
        giveBack(taken);
        throw error;
      }
    },
  };
}

interface Slots {
  free: number;
  readonly waiting: Set<() => void>;
}

async function take(slots: Slots, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (slots.free > 0) {
    slots.free -= 1;
    return;
  }
  await new Promise<void>((resolve, reject) => {
    const given = (): void => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    };
    const onAbort = (): void => {
      slots.waiting.delete(given);
      reject(signal.reason);
    };
    slots.waiting.add(given);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

function giveBack(slots: Slots): void {
  const [next] = slots.waiting;
  if (next === undefined) {
    slots.free += 1;
    return;
  }
  slots.waiting.delete(next);
  next();
}
