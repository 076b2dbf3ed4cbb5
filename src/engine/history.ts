import type { HistoryRead, JsonValue } from '../repl/port.ts';

/** One thing that happened in a REPL's life, as cells see it. */
export type HistoryItem =
  | { readonly id: string; readonly kind: 'query'; readonly query: string }
  | {
      readonly id: string;
      readonly kind: 'turn';
      readonly reply: string;
      readonly commands: readonly HistoryCommand[];
      readonly feedback: string;
    }
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
  /** stdout, the value, stderr and the error as one text, untruncated. */
  readonly output: string;
};

/**
 * The turns and items that `history` in a cell reads. It lives as long as the REPL: ids continue across completions, and
 * items stay after a rollback. Outputs of the current turn can be read by id as soon as their command has ended.
 */
export class History {
  readonly #items: HistoryItem[] = [];
  readonly #byId = new Map<string, HistoryItem | HistoryCommand>();
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
    readonly commands: readonly HistoryCommand[];
    readonly feedback: string;
  }): void {
    this.#turns++;
    this.#add({ id: `t${this.#turns}`, kind: 'turn', ...turn });
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
