/**
 * `npm test`: every check of this repository in order, each with its output as it comes; then one line with real counts.
 * A step without tests of its own counts as one. Steps continue after a failure: a run shows all that is wrong.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import {
  type Counts,
  fromExitCode,
  readRetried,
  readUnittestCounts,
  readVitestCounts,
  type StepEnd,
} from './counts.ts';
import { findPython } from './find-python.ts';
import { findOldestNode, OLDEST_NODE_TESTS } from './oldest-node.ts';

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
  /** Variables over those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** The counts of the step; default: one check, by its exit code. */
  readonly count?: (end: StepEnd) => Counts;
}

/** Compiled code, of vitest's processes too: each test file has one of its own, and to compile vitest is half of its start. */
const COMPILE_CACHE = join(process.cwd(), 'node_modules/.cache/fathom-tests');
/** The tests of the command start the one that the step `build` has made. */
const BUILT_COMMAND = 'dist/cli/main.mjs';
const scratch = mkdtempSync(join(tmpdir(), 'fathom-checks-'));
const vitestReport = join(scratch, 'vitest.json');
const withoutPython = join(scratch, 'without-python.json');
const python = await findPython();
const oldestNode = findOldestNode();

const steps: readonly Step[] = [
  { name: 'format and lint', command: ['biome', 'ci', '.'] },
  { name: "format and lint of the guest's Python", command: ['node', 'tools/lint-guest.ts'] },
  { name: 'build', command: ['tsdown', '--log-level', 'warn'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'types of the page', command: ['tsc', '--noEmit', '-p', 'viewer'] },
  ...(python === undefined
    ? []
    : [
        {
          name: "the guest's own tests",
          command: [python, '-m', 'unittest', 'discover', '-s', 'tests', '-t', '.'],
          cwd: 'guest',
          count: readUnittestCounts,
        } satisfies Step,
      ]),
  {
    name: 'unit, integration, end-to-end, package, examples, README',
    command: ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${vitestReport}`],
    env: { FATHOM_TEST_MAIN: BUILT_COMMAND },
    count: (end) => readVitestCounts(vitestReport, end),
  },
  {
    name: 'the engine on a machine without Python',
    command: [
      ...(['vitest', 'run', 'test/engine/engine.test.ts', 'test/engine/stopping.test.ts'] as const),
      'test/engine/prompt-claims.test.ts',
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${withoutPython}`],
    ],
    env: { PATH: join(process.cwd(), 'node_modules', '.bin') },
    count: (end) => readVitestCounts(withoutPython, end),
  },
  ...(oldestNode === undefined ? [] : [onOldestNode(oldestNode)]),
  { name: 'package: publint', command: ['publint', '--strict'] },
  { name: 'package: types of every entry', command: ['attw', '--pack', '--profile', 'esm-only', '--format', 'ascii'] },
  { name: 'dead code and dependencies', command: ['knip'] },
];

/** A step on the oldest Node. The sources have `await using`, which it cannot parse: it runs the built command. */
function onOldestNode(folder: string): Step {
  const report = join(scratch, 'oldest-node.json');
  return {
    name: 'store, session, command and package on the oldest Node',
    command: [
      'vitest',
      'run',
      ...OLDEST_NODE_TESTS,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    env: {
      PATH: [folder, process.env.PATH ?? ''].join(delimiter),
      FATHOM_TEST_MAIN: BUILT_COMMAND,
      FATHOM_TEST_OLDEST: '1',
    },
    count: (end) => readVitestCounts(report, end),
  };
}

let passed = 0;
let failed = 0;
/** Shown again at the end: of a long log the end is what is kept. */
const closing: string[] = [];
if (python === undefined) say('No CPython 3.10 or later here: the tests of the guest package by itself are left out.');
if (oldestNode === undefined) say('No build of the oldest supported Node for this machine: its tests are left out.');
for (const step of steps) {
  say(`\n── ${step.name}: ${step.command.join(' ')}`);
  const startedAt = performance.now();
  const end = await run(step);
  const counts = (step.count ?? fromExitCode)(end);
  passed += counts.passed;
  failed += counts.failed;
  closing.push(...readRetried(end.output).map((line) => `Passed when tried again: ${line}`));
  if (counts.failed > 0) closing.push(`Failed: ${step.name}`, ...counts.failures.map((failure) => `  ${failure}`));
  const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`;
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  say(`── ${step.name}: ${counts.passed} passed, ${counts.failed} failed${skipped} (${seconds} s)`);
}
rmSync(scratch, { recursive: true, force: true });
if (closing.length > 0) say(`\n${closing.join('\n')}`);
say(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function run({ command: [program, ...args], cwd, env }: Step): Promise<StepEnd> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
  });
  let output = '';
  for (const [stream, out] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ] as const) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      out.write(chunk);
    });
  }
  return await new Promise((resolve) => {
    child.once('error', (error) => resolve({ exitCode: 1, signal: null, output: String(error) }));
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, output }));
  });
}
