import type { RunEvent } from '../event/event.ts';
import type { NoticeNode } from './run-node.ts';

type Words = Pick<NoticeNode, 'level' | 'text'>;
type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

/** Calls of one tool by one command that are listed one by one; more are one line. */
const LISTED_CALLS = 3;

/** Events beside the turns, in words. */
export function noticesOf(events: readonly RunEvent[]): readonly NoticeNode[] {
  let turn = 0;
  const tools = toolCalls(events);
  return events.flatMap((event) => {
    if (event.type === 'turn.started') turn = event.turn;
    const words = event.type === 'tool.completed' ? tools(event) : wordsOf(event);
    return words === undefined ? [] : [{ time: event.time, turn, ...words }];
  });
}

function wordsOf(event: Exclude<RunEvent, EventOf<'tool.completed'>>): Words | undefined {
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
    case 'context.compacted':
      return compactedWords(event);
    case 'context.truncated':
      return warning('The conversation was cut to fit the window of the model. `history` in a cell still returns it.');
    case 'context.compaction-failed':
      return warning(`Old turns could not be summarised, so they are cut: ${event.message}`);
    case 'policy.decided':
      return policyWords(event);
    case 'policy.refusals':
      return warning(
        `${event.count} refusals of the policy in a row: ${event.taken === 'stop' ? 'the run ended' : 'the run continued'}.`,
      );
    default:
      return silent(event);
  }
}

/** Everything that turns, calls, the head of the run or its session show. A new event has to be shown, or named here. */
function silent(
  _: EventOf<
    | ('run.started' | 'run.completed' | 'run.progress' | 'turn.started' | 'turn.completed' | 'model.delta')
    | ('model.replied' | 'command.parsed' | 'command.rejected' | 'cell.started' | 'cell.output' | 'cell.completed')
    | ('subcall.started' | 'subcall.completed' | 'tool.started' | 'usage.recorded' | 'evidence.checked')
    | ('session.created' | 'session.opened' | 'session.state' | 'session.extended' | 'session.closed')
    | ('session.expired' | 'events.dropped')
  >,
): undefined {
  return undefined;
}

function compactedWords({
  outputs,
  turnsSummarised,
  imagesDropped,
  tokensBefore,
  tokensAfter,
}: EventOf<'context.compacted'>): Words {
  const parts = [
    ...(turnsSummarised.length > 0 ? [`a summary replaces ${turnsSummarised.join(', ')}`] : []),
    ...(outputs.length > 0 ? [`the output of ${outputs.join(', ')} was dropped`] : []),
    ...(imagesDropped > 0 ? [`${imagesDropped} images were dropped`] : []),
  ];
  const figures = `about ${tokensBefore.toLocaleString('en')} tokens became ${tokensAfter.toLocaleString('en')}`;
  return info(`The conversation was compacted, ${figures}: ${parts.join(', ')}.`);
}

function policyWords({ id, decision, rule, message }: EventOf<'policy.decided'>): Words {
  if (decision === 'refused') return warning(`The policy refused ${id} (${rule}): ${message}`);
  return info(`The policy ${decision === 'allowed' ? 'asked about' : 'would refuse'} ${id} (${rule}), and it ran.`);
}

/** Words for calls of tools: many calls by one command are one line, failures each have their own. */
function toolCalls(events: readonly RunEvent[]): (event: EventOf<'tool.completed'>) => Words | undefined {
  const keyOf = ({ name, commandId = '' }: EventOf<'tool.completed'>): string => `${commandId} ${name}`;
  const good = events.filter((event) => event.type === 'tool.completed').filter(({ ok }) => ok);
  const groups = Map.groupBy(good, keyOf);
  return (event) => {
    const { name, commandId, ok, error } = event;
    const by = commandId === undefined ? '' : ` by ${commandId}`;
    const took = `${Math.round(event.durationMs)} ms`;
    if (!ok) return warning(`Tool ${name}, called${by}, failed after ${took}: ${error ?? 'no message'}`);
    const group = groups.get(keyOf(event)) ?? [];
    if (group.length <= LISTED_CALLS) return info(`Tool ${name} was called${by} (${took}).`);
    if (group[0] !== event) return undefined;
    const all = group.reduce((sum, { durationMs }) => sum + durationMs, 0);
    return info(`Tool ${name} was called${by} ${group.length} times (${Math.round(all)} ms in all).`);
  };
}

function info(text: string): Words {
  return { level: 'info', text };
}

function warning(text: string): Words {
  return { level: 'warning', text };
}
