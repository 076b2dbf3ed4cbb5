import type { RunEvent } from '../event/event.ts';
import type { NoticeNode } from './run-node.ts';

type Words = Pick<NoticeNode, 'level' | 'text'>;

/** Events beside the turns, in words. */
export function noticesOf(events: readonly RunEvent[]): readonly NoticeNode[] {
  let turn = 0;
  return events.flatMap((event) => {
    if (event.type === 'turn.started') turn = event.turn;
    const words = wordsOf(event);
    return words === undefined ? [] : [{ time: event.time, turn, ...words }];
  });
}

function wordsOf(event: RunEvent): Words | undefined {
  switch (event.type) {
    case 'run.queued':
      return info(`It waited for a REPL: place ${event.position} in the queue, ${event.maxRepls} REPLs at once.`);
    case 'route.chosen':
      return info(`${event.chosen === 'direct' ? 'One direct call' : 'The loop'} was chosen: ${event.reason}.`);
    case 'run.resumed':
      return info(`It was resumed: ${event.recordedSteps} recorded steps were not paid again.`);
    case 'subcall.fallback':
      return warning(`Sub-calls use ${event.using} instead of ${event.configured}: ${event.reason}.`);
    case 'model.notice':
      return warning(`${event.model}: ${event.message}`);
    case 'tool.completed':
      return toolWords(event);
    case 'budget.warning':
      return warning(`${Math.round(100 * event.fraction)} % of the limit on ${event.resource} is spent.`);
    case 'limit.reached':
      return { level: 'error', text: `A limit was reached: ${event.message}` };
    case 'snapshot.created':
      return info(`Snapshot ${event.name} was made.`);
    case 'snapshot.restored':
      return info(`The REPL went back to snapshot ${event.name}.`);
    case 'snapshot.deleted':
      return info(`Snapshot ${event.name} was deleted.`);
    case 'repl.restarted':
      return warning(`The REPL was restarted (${event.reason}): ${event.lost}.`);
    case 'journal.diverged':
      return warning(`The replay of ${event.commandId} differs from its record: ${event.message}`);
    default:
      return undefined;
  }
}

function toolWords({ name, commandId, ok, error, durationMs }: Extract<RunEvent, { type: 'tool.completed' }>): Words {
  const by = commandId === undefined ? '' : ` by ${commandId}`;
  const took = `${Math.round(durationMs)} ms`;
  if (ok) return info(`Tool ${name} was called${by} (${took}).`);
  return warning(`Tool ${name}, called${by}, failed after ${took}: ${error ?? 'no message'}`);
}

function info(text: string): Words {
  return { level: 'info', text };
}

function warning(text: string): Words {
  return { level: 'warning', text };
}
