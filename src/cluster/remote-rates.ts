import type { Clock } from '../clock.ts';
import { type CallGate, ModelError, type RateControl } from '../model/index.ts';
import type { GatedModel, GateSlot } from '../model/rate/call-gate.ts';
import { errorAsJson } from './error-json.ts';
import type { RemoteParent } from './remote-parent.ts';

/** Most milliseconds for which a call waits for its turn. */
export const MOST_WAIT_MS = 3_600_000;

/** Headers that rate control reads: no other leaves this machine. */
const RATE_HEADERS = /rate-?limit|retry-after/i;

/** The rate control of the process that asked: its own calls, and those of all its workers, have one gate for each model. */
export function relayedRates(parent: RemoteParent, clock: Clock): RateControl {
  const reached = new Set<GatedModel>();
  let inFlight = 0;
  const gate: CallGate = {
    async enter(model, { signal, deadline, tokens }) {
      const waitMs = Math.max(1, Math.min(deadline - clock.now(), MOST_WAIT_MS));
      const entering = parent.ask('enter', { model: model.id, tokens, waitMs }, waitMs);
      const slot = await unlessAborted(entering, signal).catch((error: unknown) => {
        leaveUnused(entering);
        throw error;
      });
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

  function slotOf(slot: number, model: GatedModel): GateSlot {
    return {
      observe(headers, status) {
        reached.add(model);
        parent.notify('observe', { slot, headers: rateHeaders(headers), ...(status !== undefined && { status }) });
      },
      leave(error) {
        inFlight -= 1;
        const body = { slot, ...(error !== undefined && { error: errorAsJson(error) }) };
        parent.notify('leave', body);
      },
    };
  }

  /** The turn came after its call had been cancelled. */
  function leaveUnused(entering: Promise<unknown>): void {
    entering.then((slot) => parent.notify('leave', { slot })).catch(() => undefined);
  }
}

/** Those of a response that rate control reads. */
export function rateHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => RATE_HEADERS.test(name)));
}

/** Waits for a turn. @throws ModelError when the signal fires before */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void =>
    aborted.reject(
      new ModelError({ fault: 'cancelled', message: 'The call was cancelled while it waited for its turn.' }),
    );
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
