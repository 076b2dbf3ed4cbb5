import type { RunEvent } from '../../src/index.ts';

/** What every run owes: one terminal record, and durable events numbered without gaps. */
export function checkEvents(events: readonly RunEvent[]): string[] {
  const problems: string[] = [];
  for (const [runId, own] of Map.groupBy(events, (event) => event.runId)) {
    const terminal = own.filter((event) => event.type === 'run.completed').length;
    if (terminal !== 1) problems.push(`${runId} has ${terminal} terminal records`);
    let last = 0;
    for (const event of own) {
      if (event.seq !== last && event.seq !== last + 1)
        problems.push(`${runId}: ${event.type} has seq ${event.seq} after ${last}`);
      last = event.seq;
    }
  }
  return problems;
}
