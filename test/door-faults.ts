/**
 * Faults below a door, by ports of the library: replies of a model that fail, a backend whose REPLs break, a store that is
 * full, one whose locks another process holds.
 *
 * @module
 */
import {
  memoryStore,
  type ReplBackend,
  RlmError,
  type RlmErrorCode,
  type RlmOptions,
  type Store,
} from '../src/index.ts';
import type { MockErrorBody, MockReply } from './mock-provider/index.ts';

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

/** A reply that never comes. */
export const HANGING = { fault: 'hang-before-headers' } as const;

/** A reply with an HTTP status and an error. */
export const status = (code: number, error: MockErrorBody): MockReply => ({ fault: 'status', status: code, error });

/** How a question to any door reaches a code, by what lies below the door. */
export const FAULTS_BELOW_DOORS: Readonly<
  Partial<Record<RlmErrorCode, { readonly reply?: MockReply; readonly rlm?: Partial<Omit<RlmOptions, 'store'>> }>>
> = {
  'missing-key': { reply: status(401, { message: 'Incorrect API key provided' }) },
  'context-length': {
    reply: status(400, {
      message: "This model's maximum context length is 10 tokens.",
      code: 'context_length_exceeded',
    }),
  },
  'rate-limited': { reply: status(429, { message: 'You exceeded your current quota', code: 'insufficient_quota' }) },
  'model-failure': { reply: { fault: 'redirect', location: 'http://127.0.0.1:1/' } },
  'model-refused': { reply: { text: '', finishReason: 'content_filter' } },
  'bad-request': { reply: status(400, { message: 'no such thing' }) },
  timeout: { reply: HANGING, rlm: { limits: { callTimeoutMs: 300 } } },
  'repl-failure': { rlm: { repl: breakingBackend('repl-failure') } },
  'isolation-unavailable': { rlm: { isolation: 'vm' } },
  'channel-violation': { rlm: { repl: breakingBackend('channel-violation') } },
};
