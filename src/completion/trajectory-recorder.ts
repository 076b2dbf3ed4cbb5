import type { Trajectory, Turn } from '../trajectory.ts';
import { TurnRecord, trajectoryCommand } from './turn-record.ts';

/** What is known of a completion before its first turn. */
export type TrajectoryHead = Omit<Trajectory, 'turns' | 'lastCall'>;

/** A turn that has its reply. */
export interface OpenedTurn {
  readonly number: number;
  readonly reply: string;
  readonly reasoning: string | undefined;
  readonly startedAt: number;
}

/** Builds the trajectory of a completion turn by turn, so that it is complete however the run ends. */
export class TrajectoryRecorder {
  readonly #head: TrajectoryHead;
  readonly #turns: Turn[] = [];
  #open: { readonly turn: OpenedTurn; readonly record: TurnRecord } | undefined;
  #lastCall: Trajectory['lastCall'];
  /** The draft in `answer["content"]` after the last cell. */
  draft: string | undefined;

  constructor(head: TrajectoryHead) {
    this.#head = head;
  }

  /** Root replies so far. */
  get turns(): number {
    return this.#turns.length + (this.#open === undefined ? 0 : 1);
  }

  openTurn(turn: OpenedTurn): TurnRecord {
    const record = new TurnRecord();
    this.#open = { turn, record };
    return record;
  }

  closeTurn(feedback: string, now: number): void {
    const open = this.#openTurn(feedback, now);
    this.#open = undefined;
    this.#turns.push(...open);
  }

  setLastCall(prompt: string, reply: string): void {
    this.#lastCall = { prompt, reply };
  }

  /** The trajectory so far, with the open turn. */
  trajectory(now: number): Trajectory {
    const turns = [...this.#turns, ...this.#openTurn('', now)];
    return { ...this.#head, turns, ...(this.#lastCall !== undefined && { lastCall: this.#lastCall }) };
  }

  #openTurn(feedback: string, now: number): readonly Turn[] {
    if (this.#open === undefined) return [];
    const { turn, record } = this.#open;
    const { number, reply, reasoning, startedAt } = turn;
    return [
      {
        ...{ number, reply },
        ...(reasoning !== undefined && { reasoning }),
        commands: record.commands.map(trajectoryCommand),
        feedback,
        durationMs: now - startedAt,
      },
    ];
  }
}
