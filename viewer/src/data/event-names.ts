import type { RunEvent } from '../../../src/event/event.ts';

/** Every event of a run: a stream gives only those that are asked for by name. */
const NAMES: Readonly<Record<RunEvent['type'], true>> = {
  ...{ 'run.queued': true, 'route.chosen': true, 'run.started': true, 'run.resumed': true, 'run.completed': true },
  ...{ 'run.progress': true, 'turn.started': true, 'model.delta': true, 'model.replied': true, 'model.notice': true },
  ...{ 'command.parsed': true, 'command.rejected': true, 'turn.completed': true, 'cell.started': true },
  ...{ 'cell.output': true, 'cell.completed': true, 'subcall.started': true, 'subcall.completed': true },
  ...{ 'subcall.fallback': true, 'tool.started': true, 'tool.completed': true, 'usage.recorded': true },
  ...{ 'budget.warning': true, 'limit.reached': true, 'repl.restarted': true, 'journal.diverged': true },
  ...{ 'snapshot.created': true, 'snapshot.restored': true, 'snapshot.deleted': true, 'events.dropped': true },
  ...{ 'session.created': true, 'session.opened': true, 'session.state': true, 'session.extended': true },
  ...{ 'session.closed': true, 'session.expired': true, 'context.compacted': true, 'context.truncated': true },
  ...{ 'context.compaction-failed': true, 'evidence.checked': true, 'policy.decided': true, 'policy.refusals': true },
};

export const EVENT_NAMES: readonly string[] = Object.keys(NAMES);
