import { Counter, Gauge, Registry } from 'prom-client';
import type { WorkerFacts, WorkerStatus, WorkKind } from './worker-facts.ts';

/** The metrics of a worker as Prometheus reads them. */
export async function workerMetrics(facts: WorkerFacts, status: WorkerStatus): Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  const figure = (name: string, help: string, value: number): void => {
    new Gauge({ name: `fathom_worker_${name}`, help, registers }).set(value);
  };
  const total = (name: string, help: string, value: number): void => {
    new Counter({ name: `fathom_worker_${name}_total`, help, registers }).inc(value);
  };
  figure('children', 'Children under way', status.children);
  figure('runs', 'Whole runs under way', status.runs);
  figure('max_children', 'Children at once at the most', status.maxChildren);
  figure('max_runs', 'Whole runs at once at the most; 0 without a store', status.maxRuns);
  figure('queue_waiting', 'Children in the queue that wait for any worker', status.waiting);
  total('calls', 'Model calls of children', facts.calls);
  total('taken_over', 'Children and runs that another worker took over', facts.takenOver);
  figure('redis_silent_seconds', 'Seconds for which Redis has not answered', facts.redisSilentMs / 1_000);
  figure('resident_memory_bytes', 'Memory of the worker process, without its REPLs', process.memoryUsage.rss());
  const begun = new Counter({ name: 'fathom_worker_begun_total', help: 'Work begun', labelNames: ['kind'], registers });
  const labelNames = ['kind', 'outcome'];
  const ended = new Counter({ name: 'fathom_worker_ended_total', help: 'Work ended', labelNames, registers });
  for (const kind of ['child', 'run'] satisfies readonly WorkKind[]) {
    begun.inc({ kind }, facts.begun(kind));
    for (const [outcome, count] of facts.ended(kind)) ended.inc({ kind, outcome }, count);
  }
  return await registry.metrics();
}
