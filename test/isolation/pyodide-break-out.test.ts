import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBubblewrap } from '../../src/repl/namespace.ts';
import type { SpawnRequest } from '../../src/repl/pyodide/spawn.ts';
import { startWorker } from '../../src/repl/pyodide/worker-handle.ts';
import { makeTarget, type Target } from './attack-bench.ts';

type Reached = Readonly<Record<string, boolean>>;

const script = join(import.meta.dirname, 'break-out.mjs');
const node = process.env.FATHOM_TEST_NODE ?? process.execPath;

/** Attacks that Node's permission model leaves open; namespaces stop them. See docs/isolation-pyodide.md. */
const LEFT_BY_PERMISSION = new Set([
  'connect by TCP',
  'connect to a local socket',
  'fetch',
  'send a datagram',
  'signal the host',
  'change the priority of the host',
  'name of the machine',
  'addresses of the machine',
  'resolve a name',
  'become another user',
]);
/** Harmless where there is nothing to see: of the namespace's own empty machine. */
const LEFT_BY_NAMESPACES = new Set([
  'make code from text',
  'evaluate text',
  'open SQLite',
  'start a worker',
  'use WASI',
  'load a native module',
]);

async function breakOut(target: Target, request: Partial<SpawnRequest>): Promise<Reached> {
  const child = startWorker({ node, script, readable: [script], level: 'process', descriptors: {}, ...request });
  child.boot(target.facts as never);
  const { reached } = (await child.busy(() => child.ready)) as unknown as { reached: Reached };
  await child.busy(() => child.ended);
  child.store.close();
  target.marked();
  return reached;
}

describe('JavaScript that has broken out of the interpreter', () => {
  let target: Target;
  let without: Reached;
  beforeAll(async () => {
    target = await makeTarget();
    const env = { FATHOM_SECRET: target.secret };
    without = await breakOut(target, { withoutPermission: true, env });
  });
  afterAll(() => target.close());

  test('reaches everything where nothing is closed: each attempt is a good one', () => {
    const failed = Object.entries(without).filter(([, reached]) => !reached);
    expect(failed.map(([name]) => name)).toEqual([]);
  });

  test('reaches no file, program, worker, addon or environment under the permission model', async () => {
    const reached = await breakOut(target, {});
    const open = Object.keys(reached).filter((name) => reached[name] && !LEFT_BY_PERMISSION.has(name));
    expect(open).toEqual([]);
  });

  test.skipIf(findBubblewrap() === undefined)(
    'reaches nothing of the host in namespaces, permission model or not',
    async () => {
      const inside = await breakOut(target, { level: 'namespace', withoutPermission: true });
      const open = Object.keys(inside).filter((name) => inside[name] && !LEFT_BY_NAMESPACES.has(name));
      expect(open).toEqual([]);
      const both = await breakOut(target, { level: 'namespace' });
      expect(Object.keys(both).filter((name) => both[name])).toEqual([]);
    },
  );
});
