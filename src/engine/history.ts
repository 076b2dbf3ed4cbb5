import type { Outcome } from '../event/event.ts';
import type { ImageReference, ModelImage } from '../model/image.ts';
import type { HistoryRead, JsonValue } from '../repl/port.ts';

/** One thing that happened in a REPL's life, as cells see it. */
export type HistoryItem =
  | { readonly id: string; readonly kind: 'query'; readonly query: string }
  | {
      readonly id: string;
      readonly kind: 'turn';
      readonly reply: string;
      /** Of the model, where its provider returns it. */
      readonly reasoning?: string;
      readonly commands: readonly HistoryCommand[];
      readonly feedback: string;
      /** Shown to the model behind the turn; their bytes are not kept. */
      readonly images?: readonly HistoryImage[];
    }
  /** The end of a completion: its answer, or the best one it has. */
  | {
      readonly id: string;
      readonly kind: 'final';
      readonly outcome: Outcome;
      readonly text: string;
      /** Of an answer that a limit ended. */
      readonly reason?: string;
    }
  /** The end of a completion that failed or was stopped. */
  | { readonly id: string; readonly kind: 'error'; readonly outcome: Outcome; readonly reason: string }
  | {
      readonly id: string;
      readonly kind: 'execute';
      readonly code: string;
      readonly ok: boolean;
      readonly output: string;
    };

/** A command of a turn with its full output. */
export type HistoryCommand = {
  readonly id: string;
  readonly kind: string;
  readonly ok: boolean;
  /** Of a cell or a bash command; of others the command as JSON. */
  readonly code: string;
  /** stdout, the value, stderr and the error as one text, untruncated. */
  readonly output: string;
  readonly error?: { readonly type: string; readonly message: string };
};

/** An image of a turn, e.g. `t3.i0`. */
export type HistoryImage = { readonly id: string; readonly kind: 'image' } & {
  readonly [K in keyof ImageReference]: ImageReference[K];
};

/** How a completion ended. */
export interface HistoryEnd {
  readonly outcome: Outcome;
  readonly text: string;
  /** Of every outcome but `converged`. */
  readonly reason?: string;
}

/**
 * The turns and items that `history` in a cell reads. It lives as long as the REPL: ids continue across completions, and
 * items stay after a rollback. Outputs of the current turn can be read by id as soon as their command has ended.
 */
export class History {
  readonly #items: HistoryItem[] = [];
  readonly #byId = new Map<string, HistoryItem | HistoryCommand | HistoryImage>();
  #queries = 0;
  #turns = 0;
  #executes = 0;

  /** The number of the next turn; ids of turns continue across the completions of a session. */
  get nextTurn(): number {
    return this.#turns + 1;
  }

  /** The handle of the next `session.execute`. */
  get nextExecute(): string {
    return `e${this.#executes + 1}`;
  }

  /** Completions that have begun here. */
  get queries(): number {
    return this.#queries;
  }

  addQuery(query: string): void {
    this.#queries++;
    this.#add({ id: `q${this.#queries}`, kind: 'query', query });
  }

  /** Adds a command that has ended, before its turn has. */
  addCommand(command: HistoryCommand): void {
    this.#byId.set(command.id, command);
  }

  addTurn(turn: {
    readonly reply: string;
    readonly reasoning?: string;
    readonly commands: readonly HistoryCommand[];
    readonly feedback: string;
    readonly images: readonly ModelImage[];
  }): void {
    this.#turns++;
    const id = `t${this.#turns}`;
    const { images: shown, ...said } = turn;
    const images = shown.map(({ reference }, index) => ({
      ...reference,
      id: `${id}.i${index}`,
      kind: 'image' as const,
    }));
    for (const image of images) this.#byId.set(image.id, image);
    this.#add({ id, kind: 'turn', ...said, ...(images.length > 0 && { images }) });
  }

  /** The end of the completion whose query was added last: `f` or `x` with its number. */
  addEnd({ outcome, text, reason = '' }: HistoryEnd): void {
    const number = this.#queries;
    if (outcome === 'converged') this.#add({ id: `f${number}`, kind: 'final', outcome, text });
    else if (outcome === 'exhausted') this.#add({ id: `f${number}`, kind: 'final', outcome, text, reason });
    else this.#add({ id: `x${number}`, kind: 'error', outcome, reason });
  }

  addExecute(run: { readonly code: string; readonly ok: boolean; readonly output: string }): void {
    this.#executes++;
    this.#add({ id: `e${this.#executes}`, kind: 'execute', ...run });
  }

  /** Serves one read of a cell. By id, a command gives its full output as text, and an item gives itself. */
  read(read: HistoryRead): JsonValue {
    if (read.op === 'length') return this.#items.length;
    if (read.op === 'items') return this.#items.slice(read.start, read.stop);
    const found = this.#byId.get(read.id);
    if (found === undefined) return null;
    return 'output' in found ? found.output : found;
  }

  #add(item: HistoryItem): void {
    this.#items.push(item);
    this.#byId.set(item.id, item);
  }
}
