/**
 * Floors and a test bed for the benches of the python backend.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { DEFAULT_LIMITS } from '../src/limits.ts';
import type { Repl, ReplBackend, ReplHost, ReplLimits } from '../src/repl/port.ts';
import { findInterpreter } from '../src/repl/python/interpreter.ts';

const REPLY = {
  ok: true,
  text: 'ok',
  truncated: false,
  usage: { inputTokens: 1, outputTokens: 1, costUsd: null },
} as const;

/** A host whose model answers at once. */
export const benchHost: ReplHost = {
  subCall: async () => REPLY,
  callTool: async () => null,
  checkAnswer: async () => ({ errors: [] }),
  readHistory: async () => 0,
  readProjection: async () => 0,
};

/** The default limits, with room for what the benches hold. */
export const benchLimits: ReplLimits = { ...DEFAULT_LIMITS, memoryBytes: 8 * 1024 ** 3, callWindow: 64 };

/** A REPL for a bench. */
export function openBenchRepl(backend: ReplBackend): Promise<Repl> {
  return backend.open({ limits: benchLimits, host: benchHost, least: 'namespace' });
}

/** Runs a cell that must not fail; gives the `repr` of its value. */
export async function run(repl: Repl, code: string): Promise<string | null> {
  const { error, value } = await repl.execute({ code, handle: 'b1', timeoutMs: 600_000 });
  if (error !== null) throw new Error(error.traceback);
  return value;
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** Runs plain Python, without any box, and gives what it prints. */
export async function plainPython(code: string, ...args: readonly string[]): Promise<string> {
  const { executable } = await findInterpreter();
  const child = spawn(executable, ['-I', '-c', code, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of child.stdout) text += String(chunk);
  return text.trim();
}

/** One line of figures: the measured value, its floor of the same run, the bar. */
export function row(
  name: string,
  figures: { readonly measured: number; readonly floor: number; readonly bar: number; readonly unit: string },
): boolean {
  const { measured, floor, bar, unit } = figures;
  const ok = measured <= bar;
  const text = (value: number): string => value.toFixed(value < 10 ? 2 : 0).padStart(7);
  const ratio = floor > 0 ? `  ratio ${(measured / floor).toFixed(2)}` : '';
  const verdict = ok ? 'ok' : `above the bar of ${bar.toFixed(bar < 10 ? 1 : 0)} ${unit}`;
  console.log(`${name.padEnd(44)} ${text(measured)} ${unit}  floor ${text(floor)} ${unit}${ratio}  ${verdict}`);
  return ok;
}
