import type { Conversation } from '../engine/conversation.ts';
import { type LimitReached, stopOfResource } from '../engine/stop-control.ts';
import type { Limits } from '../limits.ts';
import { askRoot, nearsWindow, type RootReply } from './ask-root.ts';
import { commandFacts, historyCommand } from './executed-command.ts';
import type { Accepted } from './judge-answer.ts';
import { type BestAnswer, lastCall } from './last-call.ts';
import { beginTurn, type EarlyCells, takeTurn } from './take-turn.ts';
import type { LoopContext, TurnContext } from './turn-context.ts';
import { type LastChance, type TurnCounts, turnFeedback } from './turn-record.ts';

/** How the loop ended. */
export type LoopEnd =
  | { readonly kind: 'answered'; readonly answer: Accepted }
  | { readonly kind: 'limit'; readonly limit: LimitReached; readonly best: BestAnswer };

/**
 * Algorithm 1 of the paper: ask the root model, run the commands of its reply, return what they showed, until there is an
 * answer or a limit is reached; then one last call for the best answer there is.
 *
 * @throws ModelError, RlmError `repl-failure` when the run cannot continue
 */
export async function complete(conversation: Conversation, loop: LoopContext): Promise<LoopEnd> {
  const { run, recorder, history } = loop;
  const limits = new TurnLimits(run.limits);
  for (let number = 1; ; number++) {
    if (run.stop.limit !== undefined) return await endAtLimit(conversation, run.stop.limit, { ...loop, number });
    reportProgress(loop, number, 'asking the model');
    run.emit({ type: 'turn.started', turn: number });
    const record = recorder.openTurn({ number, startedAt: run.clock.now() });
    const turn: TurnContext = { ...loop, number, record };
    const early = beginTurn(turn);
    const reply = await ask(conversation, turn, early);
    if (reply.kind === 'limit') return await endAtLimit(conversation, reply.limit, { ...loop, number });

    record.reply = reply;
    reportProgress(loop, number, 'running code');
    const handle = `t${history.nextTurn}`;
    await takeTurn(reply, turn, early);
    const { accepted, continueWith } = record;
    const { mayHaveDraft } = record;
    if (accepted === undefined && mayHaveDraft !== undefined) {
      recorder.draft = mayHaveDraft ? await draftOf(loop) : undefined;
    }
    run.stop.throwIfStopped();

    const limit =
      accepted === undefined ? (run.stop.limit ?? limits.count(record.counts(loop.tally), number)) : undefined;
    const next = limit === undefined ? number + 1 : undefined;
    if (accepted === undefined && limit === undefined) record.warn(limits.lastChance());
    const feedback = accepted === undefined ? run.journal.turn(number, turnFeedback(record, run, next)) : '';
    recorder.closeTurn(feedback, run.clock.now());
    const images = loop.images.take();
    history.addTurn({
      ...{ reply: reply.text, commands: record.executed.map(historyCommand), feedback, images },
      ...(reply.reasoning !== undefined && { reasoning: reply.reasoning }),
    });
    run.emit({ type: 'turn.completed', turn: number, feedback, durationMs: run.clock.now() - record.startedAt });
    if (accepted !== undefined) return { kind: 'answered', answer: accepted };

    const commands = record.executed.map(commandFacts);
    conversation.append({ handle, reply: reply.text, feedback, commands, images });
    if (continueWith !== undefined) conversation.continueWith(continueWith);
    if (limit !== undefined) return await endAtLimit(conversation, limit, turn);
  }
}

/** Asks for a reply. Where that fails, the cells of the reply that have begun end first. */
async function ask(conversation: Conversation, turn: TurnContext, early: EarlyCells): Promise<RootReply> {
  const { run, number, images } = turn;
  try {
    return await askRoot(conversation, { turn: number, run, early, images });
  } catch (error) {
    run.stop.fail(error);
    await early.settled();
    throw error;
  }
}

/** The draft after a turn, also of one that was stopped in the middle: the run's result holds it. */
async function draftOf({ repl, run }: LoopContext): Promise<string | undefined> {
  try {
    return (await repl.draft())?.text;
  } catch (error) {
    // A run that was stopped ends as stopped, also when its REPL was lost.
    run.stop.throwIfStopped();
    throw error;
  }
}

async function endAtLimit(
  conversation: Conversation,
  limit: LimitReached,
  loop: LoopContext & { readonly number: number },
): Promise<LoopEnd> {
  loop.run.reportLimit(limit, loop.number);
  reportProgress(loop, loop.number, 'asking for the best answer');
  if (nearsWindow(conversation, loop.run)) {
    const { fitLastCall } = await import('./compact-refused.ts');
    fitLastCall(conversation, loop.number, loop.run);
  }
  const best = await lastCall(conversation, limit, loop);
  return { kind: 'limit', limit, best };
}

function reportProgress({ run }: LoopContext, turn: number, status: string): void {
  const { maxTurns } = run.limits;
  run.emit({ type: 'run.progress', turn, maxTurns, fraction: Math.min(1, (turn - 1) / maxTurns), status });
}

/** Counts from turn to turn, and reports when a limit on turns is reached. The ledger has the other limits. */
export class TurnLimits {
  readonly #limits: Pick<Limits, 'maxTurns' | 'maxConsecutiveErrors' | 'maxEmptyTurns' | 'maxRepairs'>;
  #errorTurns = 0;
  #emptyTurns = 0;
  /** Forms of the empty replies since something ran. */
  readonly #emptyForms = new Set<string>();
  #refusedTurns = 0;
  #repairs = 0;
  #lastErrors: readonly string[] = [];

  constructor(limits: Pick<Limits, 'maxTurns' | 'maxConsecutiveErrors' | 'maxEmptyTurns' | 'maxRepairs'>) {
    this.#limits = limits;
  }

  /** Counts a turn. Returns the limit it reached, if any. */
  count(turn: TurnCounts, number: number): LimitReached | undefined {
    this.#errorTurns = turn.cellsFailed > 0 && turn.cellsOk === 0 ? this.#errorTurns + 1 : 0;
    this.#countEmpty(turn);
    const refused = [...turn.refusals.values()].reduce((sum, count) => sum + count, 0);
    this.#refusedTurns = refused > 0 && turn.subCallsSent === 0 ? this.#refusedTurns + 1 : 0;
    this.#repairs = turn.invalidAnswers.length > 0 ? this.#repairs + turn.invalidAnswers.length : 0;
    this.#lastErrors = turn.invalidAnswers.at(-1) ?? this.#lastErrors;
    return this.#reached(turn, number);
  }

  /** A model that changes its form is learning: the count begins again, once for each form. */
  #countEmpty({ ran, refusedAnswer, form }: TurnCounts): void {
    if (ran > 0 || refusedAnswer) {
      this.#emptyTurns = 0;
      this.#emptyForms.clear();
      return;
    }
    this.#emptyTurns = this.#emptyForms.has(form) ? this.#emptyTurns + 1 : 1;
    this.#emptyForms.add(form);
  }

  /** After a turn that reached no limit: the kind of reply that reaches one in the next turn. */
  lastChance(): LastChance | undefined {
    const { maxRepairs, maxConsecutiveErrors, maxEmptyTurns } = this.#limits;
    if (this.#emptyTurns > 0 && this.#emptyTurns === maxEmptyTurns - 1) return 'empty';
    if (this.#repairs > 0 && this.#repairs === maxRepairs - 1) return 'unfit';
    return this.#errorTurns > 0 && this.#errorTurns === maxConsecutiveErrors - 1 ? 'failed' : undefined;
  }

  #reached(turn: TurnCounts, number: number): LimitReached | undefined {
    const limits = this.#limits;
    if (this.#repairs > 0 && this.#repairs >= limits.maxRepairs) {
      const reason = `${this.#repairs} answers in a row did not fit the schema (maxRepairs ${limits.maxRepairs}): ${this.#lastErrors.join('; ')}`;
      return { stop: 'error-limit', reason };
    }
    if (this.#errorTurns >= limits.maxConsecutiveErrors) {
      return {
        stop: 'error-limit',
        reason: `${this.#errorTurns} turns in a row failed (maxConsecutiveErrors ${limits.maxConsecutiveErrors})`,
      };
    }
    if (this.#emptyTurns >= limits.maxEmptyTurns) {
      return {
        stop: 'no-code',
        reason: `${this.#emptyTurns} replies in a row held nothing to run (maxEmptyTurns ${limits.maxEmptyTurns})`,
      };
    }
    if (turn.queryRefused || this.#refusedTurns >= 2) return refusalLimit(turn);
    if (number >= limits.maxTurns)
      return {
        stop: 'max-turns',
        reason: `${limits.maxTurns === 1 ? 'the only turn is' : `all ${limits.maxTurns} turns are`} used (maxTurns)`,
      };
    return undefined;
  }
}

function refusalLimit(turn: TurnCounts): LimitReached {
  const [resource] = [...turn.refusals].sort((a, b) => b[1] - a[1])[0] ?? ['calls' as const];
  return {
    stop: stopOfResource(resource),
    reason: `sub-calls are refused because the budget for ${resource} is used up`,
  };
}
