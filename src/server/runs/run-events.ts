import { EPHEMERAL_EVENTS, type RunEvent } from '../../event/event.ts';
import type { CompletionRun } from '../../run/run-handle.ts';
import { followRun, type Store } from '../../store/index.ts';
import type { SendEvent } from '../sse.ts';

/** Which events to send. */
export interface EventsOf {
  readonly runId: string;
  /** Events with a higher number only. */
  readonly after: number;
  readonly store: Store;
  /** The run, where this process works on it. */
  readonly run: CompletionRun<unknown> | undefined;
  /** The server pauses its runs. */
  readonly isStopping: () => boolean;
  /** The client has gone. */
  readonly signal: AbortSignal;
}

/**
 * Sends the events of a run: those that are stored, then those that come. A durable event has its number as id, so that a
 * client that lost its connection continues behind it; ephemeral ones have no id and are not sent again. The terminal event
 * has none either, because a run that is resumed takes it back. Events of children are left out.
 */
export async function sendEvents(
  send: SendEvent,
  { runId, after, store, run, isStopping, signal }: EventsOf,
): Promise<void> {
  // Subscribed before the log is read, so that no event falls between the two.
  const live = run?.[Symbol.asyncIterator]();
  const leave = (): void => void live?.return?.();
  signal.addEventListener('abort', leave, { once: true });
  try {
    if (live === undefined) {
      // Another process works on it, or it has ended.
      const stored = followRun(store, { runId, after, signal });
      for await (const event of stored) await sendOne(send, event, event.type !== 'run.completed');
      return;
    }
    let last = after;
    for (const event of await store.events.read(runId, { after })) {
      if (event.type === 'run.completed') break;
      if (signal.aborted) return;
      await sendOne(send, event, true);
      last = event.seq;
    }
    for (let next = await live.next(); next.done !== true && !signal.aborted; next = await live.next()) {
      const event = next.value;
      if (event.runId !== runId) continue;
      const durable = isDurable(event, last);
      if (durable === undefined) continue;
      // A run that is paused with the server has not ended.
      if (event.type === 'run.completed' && isStopping()) return;
      if (durable) last = event.seq;
      await sendOne(send, event, durable && event.type !== 'run.completed');
    }
  } finally {
    signal.removeEventListener('abort', leave);
    leave();
  }
}

/** Ephemeral events carry the number of the durable one before; undefined for an event that was sent. */
function isDurable(event: RunEvent, last: number): boolean | undefined {
  if (isEphemeral(event)) return event.seq < last ? undefined : false;
  return event.seq <= last ? undefined : true;
}

function isEphemeral({ type }: RunEvent): boolean {
  return type === 'events.dropped' || EPHEMERAL_EVENTS.has(type);
}

async function sendOne(send: SendEvent, event: RunEvent, durable: boolean): Promise<void> {
  await send({ event: event.type, data: event, ...(durable && { id: String(event.seq) }) });
}
