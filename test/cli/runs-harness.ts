/** Runs of the command in a folder of each test's own, some of which are killed. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect } from 'vitest';
import { type Store, sqliteStore } from '../../src/index.ts';
import { type RunFacts, runFacts } from '../../src/view/run-facts.ts';
import { type FathomOptions, type FathomOutcome, runFathom } from './run-fathom.ts';

export const cell = (code: string): string => `\`\`\`python\n${code}\n\`\`\``;
/** Longer than any test: what answers so is stopped before. */
export const NEVER_MS = 120_000;
export const hanging = (text: string): object => ({ text, latencyMs: NEVER_MS });

export const folders: string[] = [];
export let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-runs-'));
  folders.push(folder);
});
export const running: Set<ChildProcess> = new Set();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});
afterAll(() => {
  for (const each of folders) rmSync(each, { recursive: true, force: true });
});

export const script = (name: string, replies: readonly unknown[]): string => {
  writeFileSync(join(folder, name), JSON.stringify(replies));
  return `scripted:${name}`;
};

export const fathom = async (args: readonly string[], options: FathomOptions = {}): Promise<FathomOutcome> =>
  await runFathom(args, {
    cwd: folder,
    ...options,
    onStart: (child) => running.add(child),
  });

/** Lets a command run until standard error says this, then does that to it. */
export const until = (words: string, act: (child: ChildProcess) => void): Pick<FathomOptions, 'onStderr'> => {
  let done = false;
  return {
    onStderr: (stderr, child) => {
      if (done || !stderr.includes(words)) return;
      done = true;
      act(child);
    },
  };
};
export const killed = (child: ChildProcess): void => void child.kill('SIGKILL');

/** Reads the store as `fathom runs` does, but without a process of its own. */
export async function stored<T>(read: (store: Store) => Promise<T>): Promise<T> {
  const store = sqliteStore(join(folder, '.fathom'), { readOnly: true });
  try {
    return await read(store);
  } finally {
    await store.close();
  }
}

/** Facts of all runs, newest first. */
export const kept = (): Promise<readonly RunFacts[]> =>
  stored(async (store) => Promise.all((await store.runs.list()).map((run) => runFacts(run, store))));

export const listed = async (...args: readonly string[]): Promise<readonly RunFacts[]> =>
  JSON.parse((await fathom(['runs', '--json', ...args])).stdout) as readonly RunFacts[];

/** A run whose second turn never comes; killed in it. */
export async function interrupted(question = 'Q', more: readonly string[] = []): Promise<string> {
  const models = [
    ...['-m', script('root.json', [cell('x = llm_query("a")\nprint(context)'), hanging('never')])],
    ...['--sub-model', script('sub.json', ['AAA'])],
  ];
  const dead = await fathom(['ask', question, ...models, ...more], {
    input: 'from stdin',
    ...until('turn 1/30 done', killed),
  });
  expect(dead.signal).toBe('SIGKILL');
  const [run] = await kept();
  expect(run).toMatchObject({ status: 'interrupted', turns: 1, subCalls: 1 });
  return run?.id ?? '';
}

/** Runs `fathom view` until it has printed its address, does something with it, and ends it by SIGINT. */
export async function viewing(args: readonly string[], act: (address: string) => Promise<void>): Promise<string> {
  let acted: Promise<void> | undefined;
  const outcome = await runFathom(['view', '--no-open', ...args], {
    cwd: folder,
    onStart: (child) => {
      running.add(child);
      let out = '';
      child.stdout?.on('data', (text: string) => {
        out += text;
        const [, address] = /^(http\S+)\n/.exec(out) ?? [];
        if (address === undefined || acted !== undefined) return;
        acted = act(address).finally(() => child.kill('SIGINT'));
      });
    },
  });
  await acted;
  expect(outcome).toMatchObject({ code: 0, signal: null });
  return outcome.stderr;
}
