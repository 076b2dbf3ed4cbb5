/**
 * The faults that meet a run over workers in the rounds. Each resolves to the run that continues: the same, or one that resumes it.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Actor, LEASE_MS, type Stage } from './stage.ts';

export type RunActor = ReturnType<Stage['run']>;

/** The scene of a round. */
export interface Scene {
  readonly stage: Stage;
  readonly queue: string;
  readonly running: RunActor;
  readonly runId: string;
  /** One of the workers, chosen by chance. */
  readonly victim: Actor;
  /** Starts the process that asks once more, for the same run. */
  resume(): RunActor;
}

/** The state after a fault. */
export interface Aftermath {
  readonly running: RunActor;
  /** Called when the run has ended. */
  readonly end?: () => void;
  /** A former owner of the run, which wakes up when the run has ended: it may not send anything more. */
  readonly fenced?: RunActor;
}

export interface Fault {
  readonly name: string;
  /** It needs machines with a network of their own, or Postgres. */
  readonly needs?: 'machines' | 'postgres';
  readonly strike: (scene: Scene) => Promise<Aftermath>;
}

const LONGER_THAN_LEASE_MS = 2 * LEASE_MS;
/** A slow machine: it works for a quarter of the time. */
const SLOW_STOP_MS = 150;
const SLOW_GO_MS = 50;

async function cutOff(scene: Scene, machine: string): Promise<Aftermath> {
  const { stage, running } = scene;
  stage.machines[machine]?.cut();
  await delay(LONGER_THAN_LEASE_MS);
  stage.machines[machine]?.mend();
  return { running };
}

async function stopped({ running }: Scene, { child }: Actor): Promise<Aftermath> {
  child.kill('SIGSTOP');
  await delay(LONGER_THAN_LEASE_MS);
  child.kill('SIGCONT');
  return { running };
}

/** The first five are those of every run of the tests. */
export const FAULTS: readonly Fault[] = [
  {
    name: 'a worker is killed',
    async strike({ stage, victim, running }) {
      stage.drop(victim);
      return { running };
    },
  },
  {
    name: 'the process that asks is killed',
    async strike({ stage, running, resume }) {
      stage.drop(running);
      await running.closed;
      return { running: resume() };
    },
  },
  {
    name: 'a worker is cut off for longer than its lease',
    needs: 'machines',
    strike: (scene) => cutOff(scene, scene.victim.name),
  },
  {
    name: 'Redis is killed',
    async strike({ stage, running }) {
      await stage.redis.kill();
      await stage.redis.start();
      return { running };
    },
  },
  {
    name: 'Postgres is killed',
    needs: 'postgres',
    async strike({ stage, running }) {
      await stage.postgres?.kill();
      await stage.postgres?.start();
      return { running };
    },
  },
  {
    name: 'the process that asks is stopped, and another one takes its run over',
    needs: 'postgres',
    async strike({ running, resume }) {
      running.child.kill('SIGSTOP');
      return { running: resume(), fenced: running };
    },
  },
  { name: 'a worker is stopped for longer than its lease', strike: (scene) => stopped(scene, scene.victim) },
  {
    name: 'the process that asks is stopped for longer than its lease',
    strike: (scene) => stopped(scene, scene.running),
  },
  { name: 'the process that asks is cut off', needs: 'machines', strike: (scene) => cutOff(scene, scene.running.name) },
  { name: 'Redis is cut off', needs: 'machines', strike: (scene) => cutOff(scene, 'redis') },
  { name: 'Postgres is cut off', needs: 'machines', strike: (scene) => cutOff(scene, 'postgres') },
  {
    name: 'Redis is stopped',
    async strike({ stage, running }) {
      stage.redis.pause();
      await delay(LONGER_THAN_LEASE_MS);
      stage.redis.resume();
      return { running };
    },
  },
  {
    name: 'the clock of a worker jumps',
    async strike({ victim, running }) {
      victim.child.kill('SIGUSR2');
      return { running };
    },
  },
  {
    name: 'the clock of the process that asks jumps',
    async strike({ running }) {
      running.child.kill('SIGUSR2');
      return { running };
    },
  },
  {
    name: 'a worker is slow',
    async strike({ victim: { child }, running }) {
      let timer: NodeJS.Timeout | undefined;
      const stop = (): void => {
        child.kill('SIGSTOP');
        timer = setTimeout(go, SLOW_STOP_MS);
      };
      const go = (): void => {
        child.kill('SIGCONT');
        timer = setTimeout(stop, SLOW_GO_MS);
      };
      stop();
      const end = (): void => {
        clearTimeout(timer);
        child.kill('SIGCONT');
      };
      return { running, end };
    },
  },
];
