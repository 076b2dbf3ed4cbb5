/**
 * Bash by just-bash, on the guest's files and in its working directory. Loaded when it is first used.
 *
 * @module
 */
import { Buffer } from 'node:buffer';
import { bashCommands, hinted } from './bash-commands.ts';
import { bashFiles } from './bash-files.ts';
import type { EmscriptenFs } from './emscripten.ts';
import type { BashAnswer, BashHeader } from './protocol.ts';

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

/** The result of a command. */
export interface BashResult {
  readonly header: BashAnswer;
  readonly parts: readonly Uint8Array[];
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
    const links = { follow: false };
    const shell = new library.Bash({
      fs: bashFiles(run.fs, links),
      customCommands: bashCommands(links),
      cwd: run.fs.currentPath,
      env: { HOME: '/home/pyodide', USER: 'user', PATH: '/usr/bin:/bin', LANG: 'en_US.UTF-8' },
      defenseInDepth: false,
      executionLimits: limitsOf(run.request),
    });
    const result = hinted(await shell.exec(run.command, { signal: abort.signal, rawScript: true }));
    // just-bash has the same deadline and may be the first to see it.
    const timedOut = state.timedOut || run.now() >= end;
    return answer(timedOut ? EXIT_TIMEOUT : result.exitCode, timedOut, [
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

/** Bytes of one stream that go to the host: its first and its last half. One answer must fit into one frame. */
const MOST_OUTPUT = 6 * 1024 * 1024;

function answer(exitCode: number, timedOut: boolean, streams: readonly [Uint8Array, Uint8Array]): BashResult {
  const cut = streams.map(headAndTail);
  return {
    header: {
      exitCode,
      timedOut,
      streams: cut.map(({ head, tail, dropped }) => [head.length, tail.length, dropped] as const),
    },
    parts: cut.flatMap(({ head, tail }) => [head, tail]),
  };
}

/** The two ends of a stream that are kept, and the number of characters between them. */
function headAndTail(bytes: Uint8Array): { head: Uint8Array; tail: Uint8Array; dropped: number } {
  if (bytes.length <= MOST_OUTPUT) return { head: bytes, tail: new Uint8Array(0), dropped: 0 };
  const end = bytes.length - MOST_OUTPUT / 2;
  let dropped = 0;
  // Bytes that do not continue a character begin one.
  for (let at = MOST_OUTPUT / 2; at < end; at += 1) if (((bytes[at] ?? 0) & 0xc0) !== 0x80) dropped += 1;
  return { head: bytes.subarray(0, MOST_OUTPUT / 2), tail: bytes.subarray(end), dropped };
}

/** Our limits in just-bash's terms; counters are wide, because time and output bound the work. */
function limitsOf({ timeoutMs, outputBytes }: BashHeader): Record<string, number> {
  const many = 100_000_000;
  return {
    maxExecutionTimeMs: Math.max(1, Math.min(timeoutMs, 3_600_000)),
    maxOutputSize: Math.min(2 * outputBytes, 256 * 1024 * 1024),
    maxCommandCount: many,
    maxLoopIterations: many,
    maxAwkIterations: many,
    maxSedIterations: many,
    maxJqIterations: many,
    maxWorkUnits: many,
    maxQueryElements: many,
  };
}

/** just-bash gives text, or bytes as characters up to 255. */
function bytesOf(text: string, binary: boolean): Buffer {
  return Buffer.from(text, binary ? 'latin1' : 'utf8');
}
