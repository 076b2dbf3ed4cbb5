/**
 * The events of a run: the union, the bus they go over, and where they can be written.
 *
 * @example
 * ```ts
 * for await (const event of rlm.completion({ query, context })) console.log(event.seq, event.type);
 * ```
 *
 * @module
 */
export { createEventBus, type EventBus } from './bus.ts';
export type {
  EventBody,
  RunCompleted,
  RunEvent,
} from './event.ts';

export { jsonlSink } from './jsonl-sink.ts';

export { reopenLog } from './reopen.ts';
