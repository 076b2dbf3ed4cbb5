import type { EventBody } from './event.ts';

/**
 * Identifies a durable event, so that a resumed run recognizes the one it recorded: its type and stable handles. A run that
 * replays its recorded cells emits what it emitted before; the bus leaves out what the log already holds. An event that
 * can rightly happen again, such as the usage of one more attempt, has no identity.
 */
export function eventIdentity(body: EventBody): string | undefined {
  switch (body.type) {
    case 'run.started':
    case 'run.completed':
    case 'evidence.checked':
      return body.type;
    case 'route.chosen':
      return `${body.type} ${body.chosen}`;
    case 'turn.started':
    case 'model.replied':
    case 'turn.completed':
      return `${body.type} t${body.turn}`;
    case 'context.compacted':
    case 'context.truncated':
    case 'context.compaction-failed':
      return `${body.type} t${body.turn} ${body.cause}`;
    case 'command.parsed':
    case 'policy.decided':
      return `${body.type} ${body.id}`;
    case 'cell.completed':
      // Cut short by the end of the run: when it continues, the cell is run again and completes by itself.
      return body.error?.type === 'Cancelled' ? undefined : `${body.type} ${body.id}`;
    case 'command.rejected':
      return `${body.type} t${body.turn} ${body.code}`;
    case 'subcall.started':
      return `${body.type} ${body.callId}`;
    case 'subcall.completed':
      return body.code === 'cancelled' ? undefined : `${body.type} ${body.callId}`;
    case 'tool.completed':
      return body.callId === undefined ? `${body.type} ${body.name}` : `${body.type} ${body.callId}`;
    case 'budget.warning':
      return `${body.type} ${body.resource} ${body.fraction}`;
    case 'limit.reached':
      return `${body.type} ${body.limit}`;
    case 'subcall.fallback':
      return `${body.type} ${body.configured} ${body.using}`;
    case 'policy.refusals':
      return `${body.type} t${body.turn}`;
    case 'model.notice':
      return `${body.type} ${body.model} ${body.kind}`;
    case 'snapshot.created':
    case 'snapshot.restored':
    case 'snapshot.deleted':
      return `${body.type} ${body.name}`;
    default:
      return undefined;
  }
}

/** The identity that logs of 0.1.0 have for the event: its tool calls had no id. */
export function oldIdentity(body: EventBody): string | undefined {
  return body.type === 'tool.completed' ? `${body.type} ${body.name}` : undefined;
}
