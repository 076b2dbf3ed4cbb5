import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../../../test/servers/postgres-server.ts';
import type { RunEvent } from '../../event/event.ts';
import type { Store } from '../port.ts';
import { postgresStore } from './postgres-store.ts';

const LEASE_MS = 1_000;
const TERMINATE = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fathom'`;
const written = { identity: undefined, durability: 'written' } as const;

function event(seq: number): RunEvent {
  const base = { v: 1, runId: 'run', traceId: 'run', seq, time: '2026-01-01T00:00:00.123Z' } as const;
  return { ...base, type: 'turn.started', turn: seq };
}

describe.skipIf(NO_POSTGRES !== undefined)('a store in Postgres whose server or owner fails', () => {
  let server: PostgresServer;
  let schema = '';
  let made = 0;
  const stores: Store[] = [];
  const processes: ChildProcess[] = [];
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server.stop());
  afterEach(async () => {
    for (const child of processes.splice(0)) child.kill('SIGKILL');
    await Promise.allSettled(stores.splice(0).map((store) => store.close()));
  });

  function newSchema(): void {
    schema = `leases_${++made}`;
  }

  function open(): Store {
    const store = postgresStore(server.url, { schema, leaseMs: LEASE_MS });
    stores.push(store);
    return store;
  }

  async function query(text: string): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client(server.url);
    await client.connect();
    return (await client.query(text).finally(() => client.end())).rows;
  }

  /** A process that takes a lock and then appends one event a line of its input. */
  async function owner(): Promise<{
    readonly process: ChildProcess;
    readonly next: () => Promise<string>;
    readonly say: (line: string) => Promise<string>;
  }> {
    const script = new URL('./owner.testing.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [script, server.url, schema, `${LEASE_MS}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    processes.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<string> => String((await lines.next()).value);
    expect(await next()).toBe('locked');
    return {
      process: child,
      next,
      say(line) {
        child.stdin.write(`${line}\n`);
        return next();
      },
    };
  }

  /** Asks for the lock until the lease of its owner has ended. */
  async function claimRun(store: Store): Promise<void> {
    for (;;) if ((await store.lock('run run', 'the next')).ok) return;
  }

  it('a paused owner that wakes up can store nothing once another has taken over', async () => {
    newSchema();
    const first = await owner();
    expect(await first.say('1')).toBe('stored 1');
    first.process.kill('SIGSTOP');
    const second = open();
    await claimRun(second);
    await second.events.append(event(2), written);
    const answer = first.say('3');
    first.process.kill('SIGCONT');
    expect(await answer).toContain('lost its lease');
    expect((await second.events.read('run')).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it('an owner that is paused within a transaction keeps no other waiting', async () => {
    newSchema();
    const first = await owner();
    expect(await first.say('1')).toBe('stored 1');
    first.process.stdin?.write('stop\n');
    expect(await first.say('2')).toBe('stopped');
    const second = open();
    await claimRun(second);
    const next = first.next();
    first.process.kill('SIGCONT');
    expect(await next).toContain('lost its lease');
    expect((await second.events.read('run')).map(({ seq }) => seq)).toEqual([1]);
  });

  it('a paused owner that wakes up before another wants its work continues', async () => {
    newSchema();
    const first = await owner();
    first.process.kill('SIGSTOP');
    const reader = open();
    const alive = async (): Promise<boolean> => {
      const [row] = await query(`SELECT bool_or(expires > clock_timestamp()) AS alive FROM ${schema}.owners`);
      return row?.alive === true;
    };
    while (await alive());
    first.process.kill('SIGCONT');
    expect(await first.say('1')).toBe('stored 1');
    expect(await reader.events.read('run')).toHaveLength(1);
    expect((await reader.lock('run run', 'another')).ok).toBe(false);
  });

  it('the lock of a killed owner is free when its lease has ended, and its number grows', async () => {
    newSchema();
    const first = await owner();
    first.process.kill('SIGKILL');
    await once(first.process, 'exit');
    const second = open();
    await claimRun(second);
    const [row] = await query(`SELECT fence FROM ${schema}.locks`);
    expect(Number(row?.fence)).toBeGreaterThan(1);
  });

  it('connections that are lost in the middle of writes: each write is stored once, in order', async () => {
    newSchema();
    const store = open();
    const count = 400;
    await store.events.append(event(1), written);
    for (let seq = 2; seq <= count; seq++) {
      const stored = store.events.append(event(seq), written);
      if (seq % 40 === 0) await query(TERMINATE);
      if (seq % 7 === 0) await stored;
    }
    await store.flush();
    const expected = Array.from({ length: count }, (_, index) => index + 1);
    expect((await store.events.read('run')).map(({ seq }) => seq)).toEqual(expected);
  });

  it('a server that is killed and started again: what was synced is there, what follows is stored', async () => {
    newSchema();
    const store = open();
    await store.events.append(event(1), { identity: undefined, durability: 'synced' });
    await server.kill();
    const waiting = store.events.append(event(2), written);
    await server.start();
    await waiting;
    expect((await store.events.read('run')).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it('a server that stays away ends in an error that names it, without its password', async () => {
    const store = postgresStore('postgres://me:secret@127.0.0.1:9/base', { retryMs: 10 });
    await expect(store.runs.list()).rejects.toMatchObject({ code: 'store-failure' });
    const error = await store.flush().catch(String);
    expect(error).toContain('postgres://127.0.0.1:9/base');
    expect(error).not.toContain('secret');
  });

  it('stores that open at the same time make its tables once', async () => {
    newSchema();
    await Promise.all(Array.from({ length: 6 }, () => open().flush()));
  });

  it('a newer version of its tables is refused', async () => {
    newSchema();
    await open().flush();
    await query(`UPDATE ${schema}.fathom_version SET version = 99`);
    await expect(open().flush()).rejects.toThrow('has version 99');
  });

  it.each([
    ['a URL of another kind', 'mysql://x', {}, 'has to begin with postgres://'],
    ['a schema of another form', 'postgres://x', { schema: 'a b' }, 'small letters, digits'],
    ['a lease too short to be renewed', 'postgres://x', { leaseMs: 10 }, 'leaseMs has to be at least 1000'],
  ])('%s is refused', (_, url, options, message) => {
    expect(() => postgresStore(url, options)).toThrow(message);
  });
});
