import { ulid } from 'ulid';
import type { Clock } from '../clock.ts';
import { type CallGate, createRateControl, type RateControl } from '../model/index.ts';
import type { GatedModel, GatePass, GateSlot } from '../model/rate/call-gate.ts';
import type { JsonValue } from '../repl/port.ts';
import { errorAsJson } from './error-json.ts';
import type { PaceDesk } from './pace-desk.ts';
import type { PaceHolder } from './pace-holder.ts';
import type { RemoteCalls } from './remote-calls.ts';
import { MOST_WAIT_MS, rateHeaders, unlessAborted } from './remote-rates.ts';

/** Where the pace of calls is kept. */
export interface Pace {
  readonly calls: RemoteCalls;
  readonly holder: PaceHolder;
  /** For the time in which this process holds it. */
  readonly desk: PaceDesk;
  readonly clock: Clock;
}

/**
 * The rate control of a process that asks: its cap of calls in flight is its own, and so are the circuits of wrong keys and
 * unreachable hosts; the pace of each model is that of all processes of the queue, because they call the same provider.
 */
export function sharedRates(pace: Pace): RateControl {
  const own = createRateControl({ clock: pace.clock });
  const standIns = new WeakMap<GatedModel, GatedModel>();
  /** The first bursts are held back where the pace is kept. */
  const standIn = (model: GatedModel): GatedModel => {
    const known = standIns.get(model);
    if (known !== undefined) return known;
    const made = { ...factsOf(model), remote: false };
    standIns.set(model, made);
    return made;
  };
  return {
    openTree(options) {
      const tree = own.openTree(options);
      return {
        lane: () => sharedLane(tree.lane(), { pace, standIn }),
        get inFlight() {
          return tree.inFlight;
        },
      };
    },
  };
}

/** Those that a gate looks at. */
function factsOf({ id, provider, endpoint, remote }: GatedModel): GatedModel {
  return { id, provider, ...(endpoint !== undefined && { endpoint }), ...(remote !== undefined && { remote }) };
}

function sharedLane(
  own: CallGate,
  { pace, standIn }: { readonly pace: Pace; readonly standIn: (model: GatedModel) => GatedModel },
): CallGate {
  const here = pace.desk.lane();
  const name = ulid();
  return {
    reached: (model) => own.reached(standIn(model)),
    async enter(model, pass) {
      const room = await own.enter(standIn(model), pass);
      try {
        const turn = await turnOf(model, { pass, pace, here, name });
        return slotOf(room, turn);
      } catch (error) {
        room.leave(undefined);
        throw error;
      }
    },
  };
}

/** The part of an error that concerns the pace goes there, every other one concerns this process. */
function slotOf(room: GateSlot, turn: GateSlot): GateSlot {
  return {
    observe: turn.observe,
    leave(error) {
      const ofPace = error?.fault === 'rate-limit' || error?.fault === 'overloaded';
      turn.leave(ofPace ? error : undefined);
      room.leave(ofPace ? undefined : error);
    },
  };
}

interface Turn {
  readonly pass: GatePass;
  readonly pace: Pace;
  readonly here: CallGate;
  /** Of the lane. */
  readonly name: string;
}

/** Waits where the pace is kept; when another process takes it over, there. @throws ModelError */
async function turnOf(model: GatedModel, turn: Turn): Promise<GateSlot> {
  for (;;) {
    const at = await turn.pace.holder.current();
    const slot = at === turn.pace.calls.id ? await turn.here.enter(model, turn.pass) : await askAt(at, model, turn);
    if (slot !== undefined) return slot;
  }
}

/** Undefined: the pace is kept elsewhere by now. */
async function askAt(
  at: string,
  model: GatedModel,
  { pass, pace: { calls, holder, clock }, name }: Turn,
): Promise<GateSlot | undefined> {
  const waitMs = Math.max(1, Math.min(pass.deadline - clock.now(), MOST_WAIT_MS));
  const body = { lane: name, model: factsOf(model), tokens: pass.tokens, waitMs } as unknown as JsonValue;
  const ask = calls.ask(at, { method: 'pace.enter', body, waitMs: waitMs + REPORT_WAIT_MS });
  const moved = Promise.withResolvers<undefined>();
  const off = holder.onChange(() => moved.resolve(undefined));
  let slot: GateSlot | undefined;
  try {
    const given = await unlessAborted(Promise.race([ask, moved.promise]), pass.signal);
    if (given !== undefined) slot = remoteSlot(calls, at, Number(given));
    return slot;
  } finally {
    off();
    // A turn that comes late is not used.
    if (slot === undefined)
      ask.then((late) => remoteSlot(calls, at, Number(late)).leave(undefined)).catch(() => undefined);
  }
}

function remoteSlot(calls: RemoteCalls, at: string, slot: number): GateSlot {
  const notify = (method: string, body: object): void =>
    calls.notify(at, { method, body: { slot, ...body } as unknown as JsonValue });
  return {
    observe: (headers, status) =>
      notify('pace.observe', { headers: rateHeaders(headers), ...(status !== undefined && { status }) }),
    leave: (error) => notify('pace.leave', error === undefined ? {} : { error: errorAsJson(error) }),
  };
}

/** Milliseconds after its own deadline for which the refusal of a call may be under way. */
const REPORT_WAIT_MS = 10_000;
