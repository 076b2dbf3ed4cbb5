import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { findInterpreter } from '../../src/repl/python/interpreter.ts';

/** One line of a bench. */
export interface Line {
  readonly name: string;
  readonly measured: number;
  readonly unit: string;
  /** Of the same run; the ratio to it is what counts on a busy machine. */
  readonly floor?: number;
  /** The bar it is held to: at most this, in the unit, unless {@link Line.atLeast}. */
  readonly bar: number;
  readonly atLeast?: true;
}

/** Prints a line; true when the bar is met. */
export function report({ name, measured, unit, floor, bar, atLeast }: Line): boolean {
  const ok = atLeast === true ? measured >= bar : measured <= bar;
  const text = (value: number): string => value.toFixed(value < 10 ? 2 : 0);
  const beside = floor === undefined ? '' : `  floor ${text(floor)} ${unit}, ratio ${(measured / floor).toFixed(2)}`;
  const asked = `${atLeast === true ? '≥' : '≤'} ${text(bar)} ${unit}`.trim();
  console.log(
    `  ${name.padEnd(58)} ${`${text(measured)} ${unit}`.padStart(10)}${beside}  bar ${asked} ${ok ? 'ok' : 'MISSED'}`,
  );
  return ok;
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** A cell in a reply. */
export function cell(...lines: readonly string[]): string {
  return `\`\`\`repl\n${lines.join('\n')}\n\`\`\``;
}

const ROUND_TRIPS = 2_000;
const ECHO = `
import os
while True:
    data = os.read(0, 65536)
    if not data: break
    os.write(1, data)
`;

/** Microseconds from Node to a plain Python and back over two pipes, 100 bytes, on average: the floor of every call. */
export async function pipeRoundTrip(): Promise<number> {
  const { executable } = await findInterpreter();
  const child = spawn(executable, ['-I', '-c', ECHO], { stdio: ['pipe', 'pipe', 'inherit'] });
  const message = Buffer.alloc(100, 120);
  let startedAt = 0;
  for (let round = -200; round < ROUND_TRIPS; round += 1) {
    if (round === 0) startedAt = performance.now();
    child.stdin.write(message);
    await once(child.stdout, 'data');
  }
  const microseconds = ((performance.now() - startedAt) * 1_000) / ROUND_TRIPS;
  child.stdin.end();
  await once(child, 'exit');
  return microseconds;
}
