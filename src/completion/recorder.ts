import type { ExecutedCommand, SubCall, Trajectory, Turn } from '../trajectory.ts';

/** What the run has gained so far, kept so that no way of ending loses it. */
export class Recorder {
  readonly #head: Omit<Trajectory, 'turns' | 'lastCall'>;
  readonly #turns: Turn[] = [];
  #open:
    | { number: number; reply: string; reasoning: string | undefined; commands: ExecutedCommand[]; startedAt: number }
    | undefined;
  #subCalls: { readonly call: SubCall; readonly order: number }[] = [];
  #lastCall: Trajectory['lastCall'];
  /** The draft in `answer["content"]` after the last cell. */
  draft: string | undefined;

  constructor(head: Omit<Trajectory, 'turns' | 'lastCall'>) {
    this.#head = head;
  }

  get turns(): number {
    return this.#turns.length + (this.#open === undefined ? 0 : 1);
  }

  openTurn(turn: { number: number; reply: string; reasoning: string | undefined; startedAt: number }): void {
    this.#open = { ...turn, commands: [] };
  }

  addCommand(command: ExecutedCommand): void {
    this.#open?.commands.push(command);
  }

  closeTurn(feedback: string, now: number): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#turns.push(asTurn(open, feedback, now));
  }

  /** Calls come as they end; `order` says in which order they began. */
  addSubCall(call: SubCall, order: number): void {
    this.#subCalls.push({ call, order });
  }

  /** The sub-calls since they were last taken, those of the command that just ended, in the order in which they began. */
  takeSubCalls(): readonly SubCall[] {
    const calls = this.#subCalls.sort((a, b) => a.order - b.order).map(({ call }) => call);
    this.#subCalls = [];
    return calls;
  }

  setLastCall(prompt: string, reply: string): void {
    this.#lastCall = { prompt, reply };
  }

  /** The trajectory as it stands, a turn under way included. */
  trajectory(now: number): Trajectory {
    const turns = this.#open === undefined ? this.#turns : [...this.#turns, asTurn(this.#open, '', now)];
    return { ...this.#head, turns: [...turns], ...(this.#lastCall !== undefined && { lastCall: this.#lastCall }) };
  }
}

function asTurn(
  open: {
    number: number;
    reply: string;
    reasoning: string | undefined;
    commands: readonly ExecutedCommand[];
    startedAt: number;
  },
  feedback: string,
  now: number,
): Turn {
  return {
    number: open.number,
    reply: open.reply,
    ...(open.reasoning !== undefined && { reasoning: open.reasoning }),
    commands: [...open.commands],
    feedback,
    durationMs: now - open.startedAt,
  };
}
