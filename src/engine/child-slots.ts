/**
 * How many children run at once. Each has a REPL of its own, and REPLs are what a machine has least room for. A parent
 * waits for its children, so slots are counted per depth: whoever waits for one waits for somebody who needs only deeper
 * ones, and nobody waits in a circle.
 */
export interface ChildSlots {
  /**
   * Waits for a slot, first come first served; what it returns gives the slot back.
   *
   * @throws the signal's reason when it fires first
   */
  enter(depth: number, signal: AbortSignal): Promise<() => void>;
}

/** Slots for `most` children per depth. */
export function createChildSlots(most: number): ChildSlots {
  const depths = new Map<number, Slots>();
  return {
    async enter(depth, signal) {
      let slots = depths.get(depth);
      if (slots === undefined) {
        slots = { free: most, waiting: new Set() };
        depths.set(depth, slots);
      }
      await take(slots, signal);
      return () => giveBack(slots);
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
