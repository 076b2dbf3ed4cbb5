/**
 * A process of the tests: takes the lock of a run, then stores one event a line of its input and prints how that ended. With the line
 * `stop` it stops itself within its next transaction, which has renewed its lease by then.
 *
 * @module
 */
import { createInterface } from 'node:readline';
import pg from 'pg';
import { messageOf } from '../../errors.ts';
import { postgresStore } from './postgres-store.ts';

const [url = '', schema = '', leaseMs = ''] = process.argv.slice(2);
const store = postgresStore(url, { schema, leaseMs: Number(leaseMs) });
const locked = await store.lock('run run', 'the first');
console.log(locked.ok ? 'locked' : `held by ${locked.heldBy}`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'stop') {
    stopWithinTransaction();
    continue;
  }
  const base = { v: 1, runId: 'run', traceId: 'run', seq: Number(line), time: '2026-01-01T00:00:00.123Z' } as const;
  const event = { ...base, type: 'turn.started', turn: 1 } as const;
  try {
    await store.events.append(event, { identity: undefined, durability: 'written' });
    console.log(`stored ${line}`);
  } catch (error) {
    console.log(messageOf(error));
  }
}

function stopWithinTransaction(): void {
  const client = pg.Client.prototype as unknown as { query: (...args: unknown[]) => Promise<unknown> };
  const { query } = client;
  client.query = async function (this: unknown, ...args) {
    const result = await query.apply(this, args);
    if (String(args[0]).startsWith('UPDATE owners')) {
      client.query = query;
      console.log('stopped');
      process.kill(process.pid, 'SIGSTOP');
    }
    return result;
  };
}
