import type { RunEvent } from '../../src/index.ts';

/**
 * Checks what holds for every run: one terminal record, and durable events numbered without gaps. A run that was
 * resumed after its end has taken its first end back; a session's own log has no terminal record but its close.
 */
export function checkEvents(events: readonly RunEvent[]): string[] {
  const problems: string[] = [];
  for (const [runId, own] of Map.groupBy(events, (event) => event.runId)) {
    let terminal = 0;
    let last = 0;
    for (const event of own) {
      if (event.type === 'run.resumed') {
        terminal = 0;
        last = event.seq - 1;
      }
      if (event.type === 'run.completed') terminal++;
      if (event.seq !== last && event.seq !== last + 1)
        problems.push(`${runId}: ${event.type} has seq ${event.seq} after ${last}`);
      last = event.seq;
    }
    const session = own.some((event) => event.type === 'session.created' || event.type === 'session.opened');
    if (!session && terminal !== 1) problems.push(`${runId} has ${terminal} terminal records`);
  }
  return problems;
}
