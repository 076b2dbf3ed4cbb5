import { channel } from 'node:diagnostics_channel';
import type { RunEvent } from './event.ts';

/**
 * The `node:diagnostics_channel` on which every run of this process publishes its events as they become visible: for
 * monitoring that has no hand in how an `Rlm` is made. Costs nothing without a listener.
 *
 * @example
 * ```ts
 * diagnostics_channel.subscribe('fathom-rlm:event', (event) => count((event as RunEvent).type));
 * ```
 */
const events = channel('fathom-rlm:event');

/** A listener that publishes to the channel, and then calls the caller's own. */
export function publishing(own: ((event: RunEvent) => unknown) | undefined): (event: RunEvent) => unknown {
  return (event) => {
    if (events.hasSubscribers) events.publish(event);
    return own?.(event);
  };
}
