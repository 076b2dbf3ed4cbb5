import { defined } from '../../defined.ts';
import { RlmError } from '../../errors.ts';
import type { RunEvent } from '../../event/event.ts';
import { STDIN_PATHS } from '../context/context-arguments.ts';
import { EXIT } from '../exit-codes.ts';
import { storeArgument } from '../options/store.ts';
import { type Console, colorsFor, isInteractive } from '../screen/console.ts';
import { reported } from '../screen/error-report.ts';
import { compact, counted, money } from '../screen/figures.ts';
import { wrapped } from '../screen/layout.ts';
import { askOpenSession } from '../session/ask.ts';
import type { SignalSource } from '../watch/interrupts.ts';
import { showRun } from '../watch/show-run.ts';
import { ChatInterrupts } from './chat-interrupts.ts';
import { type ChatOptions, type ChatSession, withChatSession } from './chat-session.ts';
import { historyPath, openHistory } from './history-file.ts';
import { HISTORY_LINES } from './limits.ts';
import { LineReader } from './line-reader.ts';
import { type Exchange, recapOf } from './recap.ts';
import { completions, readLine, runCommand } from './slash-commands.ts';

/** One `fathom chat`. */
export interface ChatRequest {
  readonly options: ChatOptions;
  readonly console: Console;
  readonly signals: SignalSource;
  /** The terminal in which lines are edited; undefined where input or output is not a terminal. */
  readonly screen: NodeJS.WritableStream | undefined;
  /** Ends the process at once. */
  readonly exit: () => void;
}

const PROMPT = '> ';
const BLOCK_PROMPT = '. ';

/** Talks until the input ends. Resolves with the exit code; without a terminal it is that of the first line that failed. */
export async function chat(request: ChatRequest): Promise<number> {
  const { console } = request;
  return await reported({}, console, async () => {
    const options = checked(request.options, console);
    const note = (line: string): void => void console.stderr.write(`${wrapped(line, console.stderr, 2)}\n`);
    const watcher: { event?: (event: RunEvent) => void } = {};
    const onEvent = (event: RunEvent): void => watcher.event?.(event);
    return await withChatSession({ options, console, note, onEvent }, async (open) => {
      using talk = new Chat({ ...request, options }, open, { note, watcher });
      return await talk.run();
    });
  });
}

/** Standard input holds the questions. */
function checked(options: ChatOptions, { env }: Console): ChatOptions {
  const piped = options.file?.find((path) => STDIN_PATHS.has(path));
  if (piped !== undefined) {
    throw new RlmError({
      code: 'invalid-option',
      message: `A chat reads its lines from standard input, so -f ${piped} cannot be its context: save it to a file, or use -f <(command).`,
      userAction: true,
    });
  }
  const named = options.session ?? env.FATHOM_SESSION?.trim();
  return { ...options, stdin: false, ...(named !== undefined && named !== '' && { session: named }) };
}

interface ChatSurroundings {
  readonly note: (line: string) => void;
  /** Gets the events of the question that runs. */
  readonly watcher: { event?: (event: RunEvent) => void };
}

class Chat implements Disposable {
  readonly #request: ChatRequest;
  readonly #open: ChatSession;
  readonly #note: (line: string) => void;
  readonly #watcher: ChatSurroundings['watcher'];
  readonly #history;
  readonly #reader: LineReader;
  readonly #interrupts: ChatInterrupts;
  readonly #exchanges: Exchange[];
  #questions = 0;
  #failed: number = EXIT.answered;
  #canExtend = true;

  constructor(request: ChatRequest, open: ChatSession, { note, watcher }: ChatSurroundings) {
    this.#request = request;
    this.#open = open;
    this.#note = note;
    this.#watcher = watcher;
    this.#exchanges = [...open.earlier];
    const { console, screen, signals, exit } = request;
    this.#history = screen === undefined ? undefined : openHistory(historyPath(console.env), note);
    this.#reader = new LineReader({
      stdin: console.stdin,
      screen,
      history: this.#history?.lines ?? [],
      historyLines: HISTORY_LINES,
      complete: completions,
      onInterrupt: () => this.#interrupts.press(),
    });
    this.#interrupts = new ChatInterrupts({
      signals,
      interactive: this.#reader.interactive,
      dropLine: () => this.#dropLine(),
      hint: () => this.#hint(),
      onLeave: () => this.#reader.close(),
      exit,
    });
  }

  async run(): Promise<number> {
    this.#greet();
    for (;;) {
      const line = await this.#reader.next(PROMPT);
      if (line === undefined) break;
      this.#history?.add(line);
      this.#interrupts.settled();
      const code = await reported({}, this.#request.console, async () => (await this.#take(line)) ?? LEAVE);
      if (code === LEAVE) break;
      if (this.#failed === EXIT.answered) this.#failed = code;
      const { state } = this.#open.session.status();
      if (this.#interrupts.leaving !== undefined || state === 'expired' || state === 'terminated') break;
    }
    return this.#leave();
  }

  [Symbol.dispose](): void {
    this.#interrupts[Symbol.dispose]();
    this.#reader.close();
  }

  async #take(line: string): Promise<number | undefined> {
    const read = readLine(line);
    if (read.kind === 'empty') return EXIT.answered;
    await this.#extend();
    if (read.kind === 'question') return await this.#ask(read.text);
    const { session } = this.#open;
    const { console } = this.#request;
    const { watch: interrupts } = this.#interrupts;
    const on = { session, console, interrupts, note: this.#note, readBlock: () => this.#readBlock() };
    return await runCommand(on, read.name, read.argument);
  }

  async #ask(question: string): Promise<number> {
    const { console, options } = this.#request;
    const { file, ...others } = options;
    // The context of a new session is there already; a session that is continued gets it with its first question.
    const first = this.#open.continued && this.#questions === 0 && file !== undefined;
    const asked = first ? options : others;
    this.#questions++;
    const code = await showRun({
      options: asked,
      console,
      interrupts: this.#interrupts.watch,
      onward: () => undefined,
      run: async (stage) => {
        await using watching = await stage.watch();
        this.#watcher.event = watching.onEvent;
        try {
          const instructions = defined({ instructions: recapOf(this.#exchanges) });
          const asking = { question, options: asked, console, ...instructions };
          const answered = await askOpenSession(asking, this.#open, stage);
          this.#exchanges.push({ question, answer: answered.result.text });
          return answered;
        } finally {
          delete this.#watcher.event;
        }
      },
    });
    if (this.#questions > 1) this.#total();
    return code;
  }

  /** Lines of a cell, up to an empty one. */
  async #readBlock(): Promise<string> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#reader.next(BLOCK_PROMPT);
      if (line === undefined || line.trim() === '') return lines.join('\n');
      lines.push(line);
    }
  }

  /** The session lives as long as it is used. */
  async #extend(): Promise<void> {
    const { session, extensionMs } = this.#open;
    const { expiresAt } = session.status();
    if (!this.#canExtend || Date.parse(expiresAt) - Date.now() >= extensionMs) return;
    try {
      await session.extend();
    } catch (error) {
      if (!RlmError.isInstance(error) || error.code !== 'extension-limit') throw error;
      this.#canExtend = false;
      this.#note(`This session cannot be extended any more: it ends at ${expiresAt}.`);
    }
  }

  #dropLine(): boolean {
    if (this.#reader.line === '') return false;
    this.#request.console.stderr.write('\n');
    this.#reader.again();
    return true;
  }

  #hint(): void {
    this.#request.console.stderr.write('\nCtrl-C again, or Ctrl-D, leaves.\n');
    this.#reader.again();
  }

  #greet(): void {
    const { console, options, screen } = this.#request;
    if (options.quiet === true || screen === undefined) return;
    const { session, models, earlier } = this.#open;
    const dim = colorsFor(console.stderr, console.env).dim;
    const before = earlier.length === 0 ? '' : `, ${counted(earlier.length, 'question')} so far`;
    this.#note(dim(`Session ${session.id} with ${models.references.join(', ')}${before}.`));
    this.#note(dim('Ask a question. /help lists commands, Ctrl-D leaves.'));
  }

  #total(): void {
    const { console, options } = this.#request;
    if (options.quiet === true) return;
    const { usage } = this.#open.session.status();
    const parts = [
      counted(this.#questions, 'question'),
      `${compact(usage.inputTokens + usage.outputTokens)} tokens`,
      money(usage.costUsd),
    ];
    this.#note(colorsFor(console.stderr, console.env).dim(`in all: ${parts.join(' · ')}`));
  }

  #leave(): number {
    const { options, console } = this.#request;
    const { session, durable } = this.#open;
    const { state } = session.status();
    if (isInteractive(console.stderr, console.env)) console.stderr.write('\n');
    if (durable && options.quiet !== true && state !== 'expired' && state !== 'terminated') {
      const store = options.store === false ? '' : storeArgument(options.store);
      console.stderr.write(`Continue with: fathom chat --session ${session.id}${store}\n`);
    }
    return this.#interrupts.leaving ?? (this.#reader.interactive ? EXIT.answered : this.#failed);
  }
}

/** No exit code: the chat ends. */
const LEAVE = -1;
