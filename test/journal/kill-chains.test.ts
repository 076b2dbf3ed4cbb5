import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  MOCK_KEY,
  type MockAnswer,
  type MockProvider,
  type MockRequest,
  startMockProvider,
} from '../mock-provider/index.ts';
import type { Finished } from './victim.ts';

/** Beside the rounds of test/resume/kill-loop.test.ts: here chains in threads, and the provider's books by the token. */
const ROUNDS = Number(process.env.KILL_ROUNDS ?? 2);
/** Kills in one round, at most: the last process may finish. */
const KILLS = 8;
const CONCURRENT = 32;
const VICTIM = fileURLToPath(new URL('./victim.ts', import.meta.url));

const cell = (...lines: string[]): string => `\`\`\`python\n${lines.join('\n')}\n\`\`\``;

/** Batches, threads with chains of dependent calls, children with batches of their own: 503 sub-calls and 10 root calls. */
const ROOT = [
  cell('a = llm_query_batched([f"a{i}" for i in range(200)])', 'print(len(a), a[0], a[-1])'),
  cell(
    'from concurrent.futures import ThreadPoolExecutor',
    'def chain(number):',
    '    text = f"c{number}"',
    '    for _ in range(8):',
    '        text = str(llm_query(text)) + "."',
    '    return text',
    'with ThreadPoolExecutor(10) as pool:',
    '    c = list(pool.map(chain, range(10)))',
    'print(c[0])',
  ),
  cell('d = [rlm_query(f"child {i}", context="some data") for i in range(3)]', 'print(d)'),
  cell('e = [llm_query(f"e{i}") for i in range(40)] + llm_query_batched(["same"] * 90)', 'print(len(e))'),
  cell('FINAL(" ".join(map(str, [*a, *c, *d, *e])))'),
];
const CHILD = (number: string): readonly string[] => [
  cell(`f = llm_query_batched([f"f${number}-{i}" for i in range(30)])`, 'print(len(f))'),
  cell('FINAL("|".join(map(str, f)))'),
];

function respond({ system, messages, prompt }: MockRequest): MockAnswer {
  const latencyMs = Math.random() * 30;
  if (system === '') return { text: prompt.toUpperCase(), latencyMs };
  const turn = messages.filter((message) => message.role === 'assistant').length;
  const child = /child (\d)/.exec(messages[0]?.content ?? '')?.[1];
  const text = (child === undefined ? ROOT : CHILD(child))[turn] ?? 'FINAL(nothing)';
  return { text, latencyMs };
}

let mock: MockProvider;
let folder: string;
beforeAll(async () => {
  mock = await startMockProvider({ respond });
  folder = mkdtempSync(join(tmpdir(), 'fathom-kill-'));
});
afterAll(async () => {
  await mock.close();
  rmSync(folder, { recursive: true });
});

/**
 * Runs a victim and kills it after so long. Returns its output if it ended by itself, else the number of calls in
 * flight.
 */
async function live(store: string, killAfterMs: number | undefined): Promise<Finished | { readonly inFlight: number }> {
  const env = { ...process.env, ...mock.env };
  const child = spawn(process.execPath, [VICTIM, store], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => (said.stdout += String(data)));
  child.stderr.on('data', (data) => (said.stderr += String(data)));
  let inFlight: number | undefined;
  const kill = (): void => {
    inFlight = mock.inFlight;
    child.kill('SIGKILL');
  };
  const timer = killAfterMs === undefined ? undefined : setTimeout(kill, killAfterMs);
  await once(child, 'close');
  clearTimeout(timer);
  await expect.poll(() => membersOf(child.pid ?? 0), { timeout: 5000 }).toEqual([]);
  if (said.stdout.endsWith('\n')) return JSON.parse(said.stdout) as Finished;
  if (inFlight === undefined) throw new Error(said.stderr);
  return { inFlight };
}

/** Processes of a session that still live (Linux). */
function membersOf(session: number): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').filter((pid) => {
    try {
      const [state, , , id] = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return Number(id) === session && state !== 'Z';
    } catch {
      return false; // No process, or gone meanwhile.
    }
  });
}

interface Account {
  readonly calls: number;
  readonly distinct: number;
  readonly outputTokens: number;
}

/**
 * The requests that the provider saw since a call. Equal requests of one place are counted as often as the program
 * makes them.
 */
function accountSince(start: number): Account {
  const calls = mock.calls.slice(start);
  const same = calls.filter((call) => call.request.prompt === 'same').length;
  const others = new Map(calls.map(({ request, usage }) => [JSON.stringify([request.model, request.messages]), usage]));
  others.delete([...others.keys()].find((key) => key.includes('"same"')) ?? '');
  const outputTokens = [...others.values()].reduce((sum, usage) => sum + usage.outputTokens, 0);
  return { calls: calls.length, distinct: others.size + Math.min(same, 90), outputTokens: outputTokens + 90 * 2 };
}

function checkFiles(store: string): void {
  for (const entry of readdirSync(store, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = readFileSync(join(entry.parentPath, entry.name));
    expect(bytes.includes(MOCK_KEY) || bytes.includes('Bearer ')).toBe(false);
  }
}

function checkRound(finished: Finished, undisturbed: Finished, account: Account, kills: number): void {
  expect(finished.answer).toBe(undisturbed.answer);
  expect(finished.subCalls).toBe(undisturbed.subCalls);
  expect(finished.terminals).toBe(1);
  expect(finished.seqs).toEqual(finished.seqs.map((_, index) => index + 1));
  expect(account.distinct).toBe(undisturbed.usage.calls);
  const repeated = account.calls - account.distinct;
  expect(repeated).toBeLessThanOrEqual(finished.usage.possiblyBilled);
  expect(finished.usage.possiblyBilled).toBeLessThanOrEqual(kills * CONCURRENT);
  expect(finished.settled).toEqual(undisturbed.settled);
  expect(finished.settled.outputTokens).toBe(account.outputTokens);
  expect(finished.usage.calls).toBe(finished.settled.calls + finished.usage.possiblyBilled);
}

describe('a run with chains of calls in threads, killed at random moments and resumed until it is done', () => {
  it(
    `gives the same answer, repeats only what was in flight, and keeps its books (${ROUNDS} rounds)`,
    async () => {
      const undisturbed = await live(join(folder, 'undisturbed'), undefined);
      if (!('answer' in undisturbed)) throw new Error('the undisturbed run did not end');
      expect(undisturbed.subCalls).toBeGreaterThanOrEqual(500);
      for (let round = 0; round < ROUNDS; round++) {
        const store = join(folder, `${round}`);
        const start = mock.calls.length;
        for (let kills = 0; ; kills++) {
          const end = await live(store, kills < KILLS ? 300 + Math.random() * 1200 : undefined);
          if (!('answer' in end)) continue;
          checkRound(end, undisturbed, accountSince(start), kills);
          break;
        }
        checkFiles(store);
      }
    },
    60_000 * (ROUNDS + 1),
  );
});
