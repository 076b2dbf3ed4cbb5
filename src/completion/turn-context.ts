import type { History } from '../engine/history.ts';
import type { Run } from '../engine/run.ts';
import type { ShownImages } from '../engine/shown-images.ts';
import type { Repl, ReplHost } from '../repl/port.ts';
import type { SubCallTally } from '../subcall/tally.ts';
import type { AnswerMemory } from './judge-answer.ts';
import type { TrajectoryRecorder, TurnRecord } from './turn-record.ts';

/** The parts that all turns of one completion share. */
export interface LoopContext {
  readonly run: Run;
  readonly repl: Repl;
  readonly history: History;
  readonly host: ReplHost;
  readonly tally: SubCallTally;
  readonly images: ShownImages;
  readonly answers: AnswerMemory;
  readonly recorder: TrajectoryRecorder;
}

/** The parts that the commands of one turn share. */
export interface TurnContext extends LoopContext {
  /** From 1, within the completion. */
  readonly number: number;
  readonly record: TurnRecord;
}
