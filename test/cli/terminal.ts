import { spawn } from 'node:child_process';
import { FATHOM_ARGV } from './run-fathom.ts';

/** A pseudo-terminal between this process and a command: Python's standard library has one, Node's does not. */
const PTY = [
  'import fcntl, os, pty, struct, sys, termios',
  'def sized(fd):',
  "    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 80, 0, 0))",
  '    return os.read(fd, 65536)',
  'sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], sized)))',
].join('\n');

/** Milliseconds without a change of the screen after which a text is given up: the slowest start takes a third of it. */
const SILENCE_MS = 30_000;

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, 'g');

export interface TerminalOptions {
  readonly python: string;
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The program; default: the command. */
  readonly program?: readonly string[];
}

/** The command, or another program, on a terminal of 80 columns, and the keys that a person presses. */
export class Terminal implements Disposable {
  readonly #child;
  readonly #closed: Promise<number | null>;
  #text = '';
  #read = 0;
  #waiting: (() => void) | undefined;

  constructor(args: readonly string[], { python, cwd, env, program = FATHOM_ARGV }: TerminalOptions) {
    const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env;
    this.#child = spawn(python, ['-c', PTY, ...program, ...args], {
      cwd,
      env: { PATH, HOME, NODE_COMPILE_CACHE, TERM: 'xterm', NO_COLOR: '1', ...env },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text;
      this.#waiting?.();
    });
    this.#closed = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code) => {
        resolve(code);
        this.#waiting?.();
      });
    });
  }

  /** Everything on the screen so far, without escape sequences. */
  get text(): string {
    return this.#text.replace(ESCAPES, '').replaceAll('\r', '');
  }

  press(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /** Waits for a text that was not waited for yet. */
  async until(wanted: string): Promise<void> {
    for (;;) {
      const at = this.text.indexOf(wanted, this.#read);
      if (at >= 0) {
        this.#read = at + wanted.length;
        return;
      }
      const silent = await new Promise<boolean>((resolve) => {
        const late = setTimeout(() => resolve(true), SILENCE_MS);
        this.#waiting = () => {
          clearTimeout(late);
          resolve(false);
        };
        if (this.#child.exitCode !== null) this.#waiting();
      });
      if (silent || this.#child.exitCode !== null)
        throw new Error(`${JSON.stringify(wanted)} is not in:\n${this.text.slice(this.#read)}`);
    }
  }

  /** The exit code, once the command has ended. */
  async closed(): Promise<number | null> {
    return await this.#closed;
  }

  /** Hangs up, as a window does that is closed. */
  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}
