/** A tool call that was killed is made again after a resume (docs/tools.md): same key, marked, both in the event log. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunEvent, sqliteStore } from '../../src/index.ts';
import { descendantsOf, killed } from './processes.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-tool-kill-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function start(...args: readonly string[]): ChildProcess {
  const script = join(import.meta.dirname, 'tool-run.ts');
  return spawn(process.execPath, ['--no-warnings', script, folder, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Lines of a process until one has the field, or to its end. */
async function read(child: ChildProcess, field: string): Promise<Readonly<Record<string, unknown>>> {
  let all: Readonly<Record<string, unknown>> = {};
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface({ input: child.stdout })) {
    all = { ...all, ...(JSON.parse(line) as object) };
    if (field in all) return all;
  }
  throw new Error(`it ended without ${field}: ${JSON.stringify(all)}`);
}

interface Payment {
  readonly amount: number;
  readonly toolCallId: string;
  readonly repeated: boolean;
}

/** Runs, kills with SIGKILL in the tool, resumes in another process. */
async function killedInTool(
  kind: string,
): Promise<{ payments: Payment[]; events: readonly RunEvent[]; text: unknown }> {
  const first = start(kind);
  const { runId } = await read(first, 'inTool');
  const tree = await descendantsOf(first.pid ?? 0);
  first.kill('SIGKILL');
  for (const pid of tree) killed(pid);
  await new Promise((resolve) => first.once('close', resolve));
  const { text } = await read(start(kind, String(runId)), 'text');
  const lines = readFileSync(join(folder, 'payments.jsonl'), 'utf8').trim().split('\n');
  const store = sqliteStore(folder);
  const events = await store.events.read(String(runId));
  await store.close();
  return { payments: lines.map((line) => JSON.parse(line) as Payment), events, text };
}

describe('a tool call that is killed with its process', () => {
  test('is made again with the same key, marked, and the event log shows both', async () => {
    const { payments, events, text } = await killedInTool('once');
    expect(text).toBe('1');
    expect(payments.map(({ amount, repeated }) => [amount, repeated])).toEqual([
      [1, false],
      [1, true],
    ]);
    expect(payments[0]?.toolCallId).toBe(payments[1]?.toolCallId);
    const { toolCallId: callId } = payments[0] ?? {};
    const of = (type: string) => events.filter((event) => event.type === type);
    expect(of('tool.started')).toMatchObject([
      { callId, name: 'pay' },
      { callId, name: 'pay', repeated: true },
    ]);
    expect(of('tool.started')[0]).not.toHaveProperty('repeated');
    expect(of('tool.completed')).toMatchObject([{ callId, ok: true, repeated: true }]);
  });

  test('a call that had returned is not made again, and equal calls have keys of their own', async () => {
    const { payments, text } = await killedInTool('second');
    expect(text).toBe('2');
    expect(payments.map(({ repeated }) => repeated)).toEqual([false, false, true]);
    const [first, second, third] = payments.map(({ toolCallId }) => toolCallId);
    expect(first).not.toBe(second);
    expect(third).toBe(second);
  });

  test('several at once are each made again with their own key', async () => {
    const { payments, text } = await killedInTool('batch');
    expect(text).toBe('6');
    const keys = (repeated: boolean) =>
      new Map(
        payments.filter((call) => call.repeated === repeated).map(({ amount, toolCallId }) => [amount, toolCallId]),
      );
    expect(keys(false).size).toBe(3);
    expect(keys(true)).toEqual(keys(false));
  });

  test('an error that the cell has seen is a result: that call is not made again', async () => {
    const { payments, text } = await killedInTool('retried');
    expect(text).toBe('1');
    expect(payments.map(({ amount, repeated }) => [amount, repeated])).toEqual([
      [0, false],
      [1, false],
      [1, true],
    ]);
  });
});
