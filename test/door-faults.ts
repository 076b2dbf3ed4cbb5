/**
 * Faults below a door, by ports of the library: a backend whose REPLs break, a store that is full, one whose locks another
 * process holds.
 *
 * @module
 */
import { memoryStore, type ReplBackend, RlmError, type RlmErrorCode, type Store } from '../src/index.ts';

/** A backend whose REPLs break while they open. */
export function breakingBackend(code: RlmErrorCode): ReplBackend {
  return {
    name: 'breaking',
    open: () => Promise.reject(new RlmError({ code, message: 'The REPL broke.' })),
    close: () => Promise.resolve(),
  };
}

/** A store that cannot write events. */
export function fullStore(): Store {
  const store = memoryStore();
  const append = (): Promise<never> =>
    Promise.reject(new RlmError({ code: 'store-failure', message: 'The disk is full.' }));
  return { ...store, events: { ...store.events, append } } as Store;
}

/** A store in which another process holds every lock, once `lockAll` was called. */
export function lockingStore(): { readonly store: Store; readonly lockAll: () => void } {
  const store = memoryStore();
  let locked = false;
  const process = { pid: 1, host: 'here', confirmed: true } as never;
  return {
    store: {
      ...store,
      lock: (name, holder) =>
        locked ? Promise.resolve({ ok: false, heldBy: 'process 1', process }) : store.lock(name, holder),
    },
    lockAll: () => {
      locked = true;
    },
  };
}
