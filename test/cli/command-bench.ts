import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach } from 'vitest';
import { type FathomOptions, type FathomOutcome, runFathom } from './run-fathom.ts';

/** Longer than any test: what answers so is stopped before. */
const NEVER_MS = 120_000;

/** Commands in a folder of their own for each test. */
export interface CommandBench {
  readonly folder: string;
  readonly fathom: (args: readonly string[], options?: FathomOptions) => Promise<FathomOutcome>;
  /** Writes replies to a file; returns the reference of the model that plays them. */
  readonly script: (name: string, replies: readonly unknown[]) => string;
}

export const cell = (code: string): string => `\`\`\`python\n${code}\n\`\`\``;
/** A reply that never comes. */
export const hanging = (text: string): object => ({ text, latencyMs: NEVER_MS });

/** Makes the folder before each test; ends processes and removes folders afterwards. */
export function commandBench(): CommandBench {
  const folders: string[] = [];
  const running = new Set<ChildProcess>();
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fathom-command-'));
    folders.push(folder);
  });
  afterEach(() => {
    for (const child of running) child.kill('SIGKILL');
    running.clear();
  });
  afterAll(() => {
    for (const each of folders) rmSync(each, { recursive: true, force: true });
  });
  return {
    get folder() {
      return folder;
    },
    script(name, replies) {
      writeFileSync(join(folder, name), JSON.stringify(replies));
      return `scripted:${name}`;
    },
    fathom: async (args, options = {}) =>
      await runFathom(args, {
        cwd: folder,
        ...options,
        onStart: (child) => {
          running.add(child);
          options.onStart?.(child);
        },
      }),
  };
}
