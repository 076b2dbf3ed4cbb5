/**
 * Bash by just-bash, on the guest's files and in its working directory. Loaded when it is first used.
 *
 * @module
 */
import { Buffer } from 'node:buffer';
import { bashFiles } from './bash-files.ts';
import type { EmscriptenFs } from './emscripten.ts';
import type { BashHeader } from './protocol.ts';

/** Milliseconds between two looks whether the host wants an end. */
const LOOK_MS = 20;
const EXIT_TIMEOUT = 124;

export interface BashRun {
  readonly fs: EmscriptenFs;
  /** just-bash's bundle without Node parts. */
  readonly url: string;
  readonly request: BashHeader;
  readonly command: string;
  readonly interrupted: () => boolean;
  readonly now: () => number;
}

/** What a command gave: `header.exitCode`, and stdout and stderr as parts. */
export interface BashResult {
  readonly header: { readonly exitCode: number; readonly timedOut: boolean; readonly stdoutBytes: number };
  readonly parts: readonly [Uint8Array, Uint8Array];
}

type JustBash = typeof import('just-bash/browser');

// Captured before the globals go.
const { setTimeout: setTimer, clearTimeout: clearTimer } = globalThis;
let library: JustBash | undefined;

/** Runs one command. Failures of just-bash itself come as exit code 1 with a message. */
export async function runBash(run: BashRun): Promise<BashResult> {
  const abort = new AbortController();
  const state = { timedOut: false };
  const end = run.now() + run.request.timeoutMs;
  const look = (): void => {
    state.timedOut ||= run.now() >= end;
    if (state.timedOut || run.interrupted()) abort.abort();
    else timer = setTimer(look, LOOK_MS);
  };
  let timer = setTimer(look, LOOK_MS);
  try {
    library ??= (await import(run.url)) as JustBash;
    const shell = new library.Bash({
      fs: bashFiles(run.fs),
      cwd: run.fs.currentPath,
      env: { HOME: '/home/pyodide', USER: 'user', PATH: '/usr/bin:/bin', LANG: 'en_US.UTF-8' },
      defenseInDepth: false,
      executionLimits: limitsOf(run.request),
    });
    const result = await shell.exec(run.command, { signal: abort.signal, rawScript: true });
    return answer(state.timedOut ? EXIT_TIMEOUT : result.exitCode, state.timedOut, [
      bytesOf(result.stdout, result.stdoutKind === 'bytes' || result.stdoutEncoding === 'binary'),
      bytesOf(result.stderr, false),
    ]);
  } catch (error) {
    const message = error instanceof Error ? error.message : 'failed';
    return answer(state.timedOut ? EXIT_TIMEOUT : 1, state.timedOut, [
      Buffer.alloc(0),
      Buffer.from(`bash: ${message}\n`),
    ]);
  } finally {
    clearTimer(timer);
  }
}

function answer(exitCode: number, timedOut: boolean, parts: readonly [Uint8Array, Uint8Array]): BashResult {
  return { header: { exitCode, timedOut, stdoutBytes: parts[0].length }, parts };
}

/** Our limits in just-bash's terms; counters are wide, because time and output bound the work. */
function limitsOf({ timeoutMs, outputBytes }: BashHeader): Record<string, number> {
  const many = 100_000_000;
  return {
    maxExecutionTimeMs: Math.max(1, Math.min(timeoutMs, 3_600_000)),
    maxOutputSize: Math.min(2 * outputBytes, 256 * 1024 * 1024),
    ...{ maxCommandCount: many, maxLoopIterations: many, maxAwkIterations: many, maxSedIterations: many },
    ...{ maxJqIterations: many, maxWorkUnits: many, maxQueryElements: many },
  };
}

/** just-bash gives text, or bytes as characters up to 255. */
function bytesOf(text: string, binary: boolean): Buffer {
  return Buffer.from(text, binary ? 'latin1' : 'utf8');
}
