import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '', FATHOM_TEST_MAIN } = process.env;
/** The command's sources, or the built command that `FATHOM_TEST_MAIN` names, as `npm test` does: it starts in half the time. */
const MAIN = fileURLToPath(new URL(`../../${FATHOM_TEST_MAIN ?? 'src/cli/main.ts'}`, import.meta.url));

/** The command as a program and its first arguments. */
export const FATHOM_ARGV: readonly [string, ...string[]] = [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  MAIN,
];

/** The command for a shell. */
export const FATHOM_COMMAND: string = FATHOM_ARGV.map((part) => `'${part}'`).join(' ');

const SURROUNDINGS = { PATH, HOME, NODE_COMPILE_CACHE };

export interface FathomOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The piped input; default: none, standard input is closed. */
  readonly input?: string | Buffer;
  /** Standard input is a pipe that is never written to and never closed. */
  readonly keepInputOpen?: boolean;
  /** A file standard input is redirected from. */
  readonly inputFile?: string;
  readonly onStart?: (child: ChildProcess) => void;
  /** Called with everything standard error has said so far. */
  readonly onStderr?: (text: string, child: ChildProcess) => void;
}

export interface FathomOutcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line in a process of its own, with nothing of this process's environment that could change what it says. */
export async function runFathom(args: readonly string[], options: FathomOptions = {}): Promise<FathomOutcome> {
  const file = options.inputFile === undefined ? undefined : openSync(options.inputFile, 'r');
  const keepOpen = options.keepInputOpen === true;
  const [program, ...first] = FATHOM_ARGV;
  const child = spawn(program, [...first, ...args], {
    env: { ...SURROUNDINGS, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: [file ?? (options.input === undefined && !keepOpen ? 'ignore' : 'pipe'), 'pipe', 'pipe'],
  });
  options.onStart?.(child);
  if (file !== undefined) closeSync(file);
  child.stdin?.on('error', () => undefined);
  if (!keepOpen) child.stdin?.end(options.input);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    options.onStderr?.(stderr, child);
  });
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
