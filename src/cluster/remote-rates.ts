import { type CallGate, type Model, ModelError, type RateControl } from '../model/index.ts';
import type { GateSlot } from '../model/rate/call-gate.ts';
import { errorAsJson } from './error-json.ts';
import type { RemoteParent } from './remote-parent.ts';

/** Most milliseconds for which a call waits for its turn. */
const MOST_WAIT_MS = 3_600_000;

/** Headers that rate control reads: no other leaves this machine. */
const RATE_HEADERS = /rate-?limit|retry-after/i;

/** The rate control of the process that asked: its own calls, and those of all its workers, have one gate for each model. */
export function relayedRates(parent: RemoteParent): RateControl {
  const reached = new Set<Model>();
  let inFlight = 0;
  const gate: CallGate = {
    async enter(model, { signal, deadline, tokens }) {
      const waitMs = Math.max(1, Math.min(deadline - Date.now(), MOST_WAIT_MS));
      const entering = parent.ask('enter', { model: model.id, tokens, waitMs }, waitMs);
      const slot = await unlessAborted(entering, signal, () => leaveUnused(entering));
      inFlight += 1;
      return slotOf(Number(slot), model);
    },
    reached: (model) => reached.has(model),
  };
  return {
    openTree: () => ({
      lane: () => gate,
      get inFlight() {
        return inFlight;
      },
    }),
  };

  function slotOf(slot: number, model: Model): GateSlot {
    return {
      observe(headers, status) {
        reached.add(model);
        const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => RATE_HEADERS.test(name)));
        parent.ask('observe', { slot, headers: kept, ...(status !== undefined && { status }) }).catch(() => undefined);
      },
      leave(error) {
        inFlight -= 1;
        const body = { slot, ...(error !== undefined && { error: errorAsJson(error) }) };
        parent.ask('leave', body).catch(() => undefined);
      },
    };
  }

  /** The turn came after its call had been cancelled. */
  function leaveUnused(entering: Promise<unknown>): void {
    entering.then((slot) => parent.ask('leave', { slot })).catch(() => undefined);
  }
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal, onAbort: () => void): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => {
    onAbort();
    aborted.reject(
      new ModelError({ fault: 'cancelled', message: 'The call was cancelled while it waited for its turn.' }),
    );
  };
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
