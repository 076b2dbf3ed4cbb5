import type { TextReader } from '../model/index.ts';
import { type Command, createReplyParser } from '../protocol/index.ts';

/** A command that may run before its reply is complete. */
type EarlyCommand = Extract<Command, { type: 'cell' | 'bash' }>;

/** The parts of a turn that early cells need. */
export interface EarlyOptions {
  /** Runs the command of that place in the reply. */
  readonly execute: (command: EarlyCommand, index: number) => Promise<void>;
  /** Nothing more of the turn is run: it has its answer, or the run was stopped. */
  readonly isOver: () => boolean;
  /** The run cannot continue: a REPL was lost, or the store failed. */
  readonly onFailure: (error: unknown) => void;
}

/** Records the beginning of a reply durably. @throws RlmError `store-failure` */
export type RecordBeginning = (text: string) => Promise<void>;

interface BegunCell {
  readonly command: EarlyCommand;
  readonly index: number;
  /** The reply up to the end of the command. */
  readonly part: string;
  readonly record: RecordBeginning;
}

/** A line with its end. */
const WHOLE_LINE = /[^\r\n]*(?:\r\n?|\n)/g;

/**
 * Runs the cells of a reply while the rest of it arrives. The reply up to the closing line of a cell is on record before
 * that cell runs: from then on it is the beginning of the turn's reply, whatever becomes of the stream.
 *
 * A command is certain once the parser gives it out: never while reasoning is open, and never an untagged block.
 */
export class EarlyCells {
  readonly #options: EarlyOptions;
  #work: Promise<void> = Promise.resolve();
  #beginning: string | undefined;
  #executed = 0;
  /** Counts attempts: cells of one that broke off before any of them began are not run. */
  #attempt = 0;

  constructor(options: EarlyOptions) {
    this.#options = options;
  }

  /** The part of the reply whose cells were begun; undefined while nothing was. */
  get beginning(): string | undefined {
    return this.#beginning;
  }

  /** Commands of the reply that are done. */
  get executed(): number {
    return this.#executed;
  }

  /** Resolves when everything that was begun has ended. */
  async settled(): Promise<void> {
    await this.#work;
  }

  /** Reads the text of one attempt. It ends the stream where the model invents output, and after an answer. */
  reader(record: RecordBeginning): TextReader {
    const attempt = ++this.#attempt;
    const parser = createReplyParser();
    let text = '';
    let line = '';
    let found = 0;
    let open = true;
    const begin = (command: EarlyCommand, index: number): void => {
      const part = text;
      // What has arrived already is read first: a reply that ends with its block has nothing to gain.
      setImmediate(() => {
        if (attempt === this.#attempt) this.#begin({ command, index, part, record });
      });
    };
    return (delta) => {
      if (this.#beginning !== undefined && this.#options.isOver()) return 0;
      line += delta;
      let used = 0;
      for (const [whole] of line.matchAll(WHOLE_LINE)) {
        // The line feed of a CR may still be on its way.
        if (whole.endsWith('\r') && used + whole.length === line.length) break;
        used += whole.length;
        text += whole;
        const { commands, rejected } = parser.push(whole);
        for (const command of commands) {
          open &&= command.type === 'cell' || command.type === 'bash';
          if (open) begin(command as EarlyCommand, found);
          found += 1;
        }
        if (this.#beginning !== undefined && rejected.some(({ code }) => code === 'invented-output')) {
          return delta.length - (line.length - used);
        }
      }
      line = line.slice(used);
      return undefined;
    };
  }

  /** The attempt has ended, and no further cell of it begins by itself. True when another attempt may replace it. */
  endAttempt(): boolean {
    this.#attempt += 1;
    return this.#beginning === undefined;
  }

  #begin({ command, index, part, record }: BegunCell): void {
    this.#beginning = part;
    this.#work = this.#work.then(async () => {
      if (this.#options.isOver()) return;
      try {
        await record(part);
        await this.#options.execute(wellFormed(command), index);
        this.#executed = index + 1;
      } catch (error) {
        this.#options.onFailure(error);
      }
    });
  }
}

/** As the whole reply will have it: half a character is replaced there. */
function wellFormed(command: EarlyCommand): EarlyCommand {
  if (command.type === 'cell') return { ...command, code: command.code.toWellFormed() };
  return { ...command, command: command.command.toWellFormed() };
}
