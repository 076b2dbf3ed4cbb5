import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Console } from '../screen/console.ts';

export interface LineReaderOptions {
  readonly stdin: Console['stdin'];
  /** Shows the line that is edited; undefined where lines are read from a file or a pipe. */
  readonly screen: NodeJS.WritableStream | undefined;
  /** Newest first. */
  readonly history: readonly string[];
  readonly historyLines: number;
  /** The completions that Tab offers for the line so far. */
  readonly complete: (line: string) => readonly string[];
  /** Ctrl-C while a line is edited. */
  readonly onInterrupt: () => void;
}

/**
 * Lines of a terminal, edited, or of a pipe. It is `node:readline`: the line editor that Node itself maintains, with
 * history, search and Emacs keys, and not one package more to install.
 *
 * Between two lines the terminal is in its usual mode: there Ctrl-C is a signal, and what is typed ahead waits.
 */
export class LineReader {
  readonly #options: LineReaderOptions;
  readonly #editor: Interface;
  /** Lines that came at once, as when several are pasted. */
  readonly #ahead: string[] = [];
  #waiting: ((line: string | undefined) => void) | undefined;
  #closed = false;

  constructor(options: LineReaderOptions) {
    this.#options = options;
    const { stdin, screen, history, historyLines, complete, onInterrupt } = options;
    this.#editor = createInterface({
      input: stdin,
      output: screen ?? new Writable({ write: (_chunk, _encoding, done) => done() }),
      terminal: screen !== undefined,
      history: [...history],
      historySize: historyLines,
      removeHistoryDuplicates: true,
      completer: (line: string) => [[...complete(line)], line],
    });
    this.#editor.on('line', (line) => this.#take(line));
    this.#editor.on('close', () => this.#end());
    this.#editor.on('SIGINT', onInterrupt);
    this.#rest();
  }

  /** Someone may be typing: lines are edited on a terminal. */
  get interactive(): boolean {
    return this.#options.screen !== undefined;
  }

  /** The line that is being edited. */
  get line(): string {
    return this.#editor.line;
  }

  /** The next line; undefined at the end of input. */
  async next(prompt: string): Promise<string | undefined> {
    const ahead = this.#ahead.shift();
    if (ahead !== undefined) {
      this.#options.screen?.write(`${prompt}${ahead}\n`);
      return ahead;
    }
    if (this.#closed) return undefined;
    return await new Promise((resolve) => {
      this.#waiting = resolve;
      this.#raw(true);
      this.#editor.setPrompt(prompt);
      if (this.interactive) this.#editor.prompt();
      else this.#editor.resume();
    });
  }

  /** Shows the prompt again, without the line that was being edited. */
  again(): void {
    this.#editor.write(null, { ctrl: true, name: 'e' });
    this.#editor.write(null, { ctrl: true, name: 'u' });
    this.#editor.prompt();
  }

  /** Ends reading: {@link next} resolves with undefined. */
  close(): void {
    this.#editor.close();
  }

  #take(line: string): void {
    this.#rest();
    if (this.#waiting === undefined) this.#ahead.push(line);
    else this.#resolve(line);
  }

  #end(): void {
    this.#closed = true;
    this.#resolve(undefined);
  }

  #resolve(line: string | undefined): void {
    const resolve = this.#waiting;
    this.#waiting = undefined;
    resolve?.(line);
  }

  #rest(): void {
    this.#editor.pause();
    this.#raw(false);
  }

  #raw(on: boolean): void {
    if (this.interactive && !this.#closed) this.#options.stdin.setRawMode?.(on);
  }
}
