import type { RunEvent, UsageRecorded } from '../event/event.ts';
import type { BesideNode, NodeUsage } from './run-node.ts';

export const NO_USAGE: NodeUsage = { inputTokens: 0, outputTokens: 0, costUsd: 0, attempts: 0 };

/** Adds one model round trip. */
export function plusUsage(usage: NodeUsage, { inputTokens, outputTokens, costUsd }: UsageRecorded): NodeUsage {
  return {
    inputTokens: usage.inputTokens + inputTokens,
    outputTokens: usage.outputTokens + outputTokens,
    costUsd: usage.costUsd === null || costUsd === null ? null : usage.costUsd + costUsd,
    attempts: usage.attempts + 1,
  };
}

/** The round trips that belong to no turn, in order; retries are part of their first attempt. */
export function besidesOf(events: readonly RunEvent[]): readonly BesideNode[] {
  const nodes: BesideNode[] = [];
  let turn = 0;
  for (const event of events) {
    if (event.type === 'turn.started') turn = event.turn;
    if (event.type !== 'usage.recorded') continue;
    const purpose = purposeOf(event, turn);
    if (purpose === undefined) continue;
    const last = nodes.at(-1);
    if (last?.purpose === purpose && event.attempt > 1) nodes[nodes.length - 1] = retried(last, event);
    else nodes.push(first(purpose, event));
  }
  return nodes;
}

function purposeOf({ purpose }: UsageRecorded, turn: number): BesideNode['purpose'] | undefined {
  if (purpose === 'final' || purpose === 'summary') return purpose;
  // A direct call is made before the first turn.
  return purpose === 'root' && turn === 0 ? 'direct' : undefined;
}

type Timed = UsageRecorded & { readonly time: string };

function first(purpose: BesideNode['purpose'], event: Timed): BesideNode {
  const { time, durationMs = 0 } = event;
  const startedAt = new Date(Date.parse(time) - durationMs).toISOString();
  return { purpose, startedAt, durationMs, usage: plusUsage(NO_USAGE, event) };
}

function retried(node: BesideNode, event: Timed): BesideNode {
  const durationMs = Math.max(node.durationMs, Date.parse(event.time) - Date.parse(node.startedAt));
  return { ...node, durationMs, usage: plusUsage(node.usage, event) };
}
