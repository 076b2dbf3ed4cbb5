/**
 * Rounds of one run over two workers, each disturbed once.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { seeded } from '../../src/model/rate/simulation.testing.ts';
import { noMachines } from '../servers/machines.ts';
import { NO_POSTGRES } from '../servers/postgres-server.ts';
import { checkAccount } from './check-account.ts';
import { FAULTS, type Fault, type RunActor } from './faults.ts';
import { CALLS_BEFORE_CHILDREN, CALLS_OF_CHILD, CHILDREN, roundAnswerOf } from './rounds-script.ts';
import { type Actor, Stage, within } from './stage.ts';

const WORKERS = ['worker-1', 'worker-2'] as const;
const QUEUE = 'rounds';
/** Longest time of a round. */
export const ROUND_MS = 60_000;
/** Milliseconds after a round within which its last job is gone. */
const JOBS_GONE_MS = 10_000;
const WHY_NOT = { machines: noMachines(), postgres: NO_POSTGRES };
const POSSIBLE = FAULTS.filter(({ needs }) => needs === undefined || WHY_NOT[needs] === undefined);

/** Why some faults are left out here. */
export const LEFT_OUT: readonly string[] = [
  ...new Set(Object.values(WHY_NOT).filter((why): why is string => why !== undefined)),
];

export interface Round {
  readonly number: number;
  readonly fault: Fault;
  /** Calls of children after which it strikes. */
  readonly after: number;
  /** Index of the worker that it strikes. */
  readonly victim: number;
}

/** After each fault once, they come by chance. */
export function planOf(number: number): Round {
  const random = seeded(number + 1);
  const at = number < POSSIBLE.length ? number : Math.floor(random() * POSSIBLE.length);
  const fault = POSSIBLE[at];
  if (fault === undefined) throw new Error(`no fault for round ${number}`);
  const after = Math.floor(random() * CHILDREN * CALLS_OF_CHILD * 0.8);
  return { number, fault, after, victim: Math.floor(random() * WORKERS.length) };
}

/** The stage of all rounds. Workers that one round leaves are used by the next. */
export class Rounds {
  readonly #stage: Stage;
  readonly #workers = new Map<string, Actor>();
  #answer = '';

  private constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Opens the stage, and asks once without a fault. */
  static async open(): Promise<Rounds> {
    const stage = await Stage.open(['asks', 'asks-again', ...WORKERS], (request) => ({
      text: roundAnswerOf(request),
      latencyMs: 10 + (request.index % 7) * 10,
    }));
    const rounds = new Rounds(stage);
    try {
      await rounds.#startWorkers();
      const { ended } = rounds.#run('undisturbed');
      const {
        outcome,
        answer = '',
        failed,
      } = await within(ended, { ms: ROUND_MS, what: 'The undisturbed run', stage });
      assert.equal(outcome, 'converged', JSON.stringify(failed));
      rounds.#answer = answer;
      return rounds;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#stage.close();
  }

  /** @throws AssertionError, and an error with the state of each process when it takes too long */
  async play(round: Round): Promise<void> {
    await this.#startWorkers();
    try {
      await within(this.#play(round), { ms: ROUND_MS, what: `Round ${round.number}`, stage: this.#stage });
    } catch (error) {
      // A process that hangs may not hold up the rounds that follow.
      this.#stage.clear();
      throw error;
    }
  }

  async #startWorkers(): Promise<void> {
    const stage = this.#stage;
    await Promise.all(
      WORKERS.map(async (name) => {
        const known = this.#workers.get(name);
        if (known !== undefined && stage.actors.has(known)) return;
        const started = stage.worker(name, QUEUE);
        this.#workers.set(name, await within(started, { ms: ROUND_MS, what: `The start of ${name}`, stage }));
      }),
    );
  }

  #run(store: string, runId?: string): RunActor {
    const resumed = runId === undefined ? {} : { runId };
    return this.#stage.run(runId === undefined ? 'asks' : 'asks-again', { queue: QUEUE, store, ...resumed });
  }

  async #play({ number, fault, after, victim: index }: Round): Promise<void> {
    const stage = this.#stage;
    const before = stage.mock.calls.length;
    const store = `round-${number}`;
    const running = this.#run(store);
    const runId = await running.id;
    const goal = before + CALLS_BEFORE_CHILDREN + after;
    const first = await Promise.race([stage.mock.hasSeen(goal).then(() => 'calls'), running.closed.then(() => 'end')]);
    assert.equal(first, 'calls', `the fault comes while children run: ${running.lines.at(-1)}`);
    const victim = this.#workers.get(WORKERS[index] ?? '');
    if (victim === undefined) throw new Error(`no worker ${index}`);
    const resume = (): RunActor => this.#run(store, runId);
    const aftermath = await fault.strike({ stage, queue: QUEUE, running, runId, victim, resume });
    const ended = await aftermath.running.ended;
    aftermath.end?.();
    checkAccount(ended, { answer: this.#answer, seen: stage.mock.calls.slice(before) });
    if (aftermath.fenced !== undefined) await this.#checkFenced(aftermath.fenced);
    for (const each of [running, aftermath.running]) stage.actors.delete(each);
    await this.#jobsAreGone();
  }

  /** A former owner that continues after the run has ended elsewhere sends nothing and stores nothing. */
  async #checkFenced({ child, ended }: RunActor): Promise<void> {
    const { calls } = this.#stage.mock;
    const before = calls.length;
    child.kill('SIGCONT');
    const { failed } = await ended;
    assert.equal(failed?.code, 'store-failure');
    assert.equal(calls.length, before, 'the former owner has sent a call');
  }

  async #jobsAreGone(): Promise<void> {
    const start = performance.now();
    for (;;) {
      const jobs = await this.#stage.jobs(QUEUE);
      if (Object.keys(jobs).length === 0) return;
      assert.ok(performance.now() - start < JOBS_GONE_MS, `jobs are left: ${JSON.stringify(jobs)}`);
      await delay(100);
    }
  }
}
