import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { CompletionError } from '../engine/result.ts';
import type { Rlm } from '../rlm.ts';
import type { RunEnded } from './run-desk.ts';

/** Seconds: a refusal takes milliseconds, a run minutes. */
const BUCKETS = [0.005, 0.02, 0.1, 0.5, 2, 10, 30, 60, 300, 1_800];

/** The metrics of a server, for Prometheus. Its figures of the queue are those of `rlm.status()`. */
export class ServerMetrics {
  readonly #registry = new Registry();
  readonly #requests: Counter;
  readonly #seconds: Histogram;
  readonly #runs: Counter;
  readonly #tokens: Counter;
  readonly #cost: Counter;

  constructor(rlm: Rlm) {
    const registers = [this.#registry];
    const labelNames = ['route', 'method', 'status'];
    this.#requests = new Counter({
      name: 'fathom_http_requests_total',
      help: 'Requests answered',
      labelNames,
      registers,
    });
    this.#seconds = new Histogram({
      ...{ name: 'fathom_http_request_seconds', help: 'Time to the response, or to the beginning of a stream' },
      ...{ labelNames: ['route'], buckets: BUCKETS, registers },
    });
    this.#runs = new Counter({
      name: 'fathom_runs_total',
      help: 'Runs ended',
      labelNames: ['outcome', 'stop'],
      registers,
    });
    this.#tokens = new Counter({
      name: 'fathom_tokens_total',
      help: 'Tokens of ended runs',
      labelNames: ['kind'],
      registers,
    });
    this.#cost = new Counter({
      name: 'fathom_cost_usd_total',
      help: 'US dollars of ended runs with known prices',
      registers,
    });
    const figures = ['maxRepls', 'maxQueuedRuns', 'repls', 'sessions', 'queued', 'runs'] as const;
    const names = {
      maxRepls: ['fathom_max_repls', 'REPLs open at once at the most'],
      maxQueuedRuns: ['fathom_max_queued_runs', 'Runs that may wait for a REPL'],
      repls: ['fathom_repls', 'REPLs open or secured for a run'],
      sessions: ['fathom_sessions', 'REPLs of sessions'],
      queued: ['fathom_queued_runs', 'Runs and sessions that wait for a REPL'],
      runs: ['fathom_runs', 'Runs that have not ended, without those of sessions'],
    } as const;
    for (const figure of figures) {
      const [name, help] = names[figure];
      new Gauge({
        ...{ name, help, registers },
        collect() {
          this.set(rlm.status()[figure]);
        },
      });
    }
    new Gauge({
      ...{ name: 'fathom_resident_memory_bytes', help: 'Memory of the server process, without its REPLs', registers },
      collect() {
        this.set(process.memoryUsage.rss());
      },
    });
  }

  /** Counts an answered request. `route` is a pattern, so that ids make no series of their own. */
  answered(request: {
    readonly route: string;
    readonly method: string;
    readonly status: number;
    readonly seconds: number;
  }): void {
    const { route, method, status, seconds } = request;
    this.#requests.inc({ route, method, status: String(status) });
    this.#seconds.observe({ route }, seconds);
  }

  runEnded(end: Parameters<RunEnded>[0]): void {
    const { outcome, stop, usage } = CompletionError.isInstance(end) ? end.result : end;
    this.#runs.inc({ outcome, stop });
    this.#tokens.inc({ kind: 'input' }, usage.inputTokens);
    this.#tokens.inc({ kind: 'output' }, usage.outputTokens);
    this.#cost.inc(usage.costUsd ?? 0);
  }

  async text(): Promise<{ readonly body: string; readonly contentType: string }> {
    return { body: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }
}
