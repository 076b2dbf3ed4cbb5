import type { LimitReached } from '../engine/stop-control.ts';
import { askRoot, type Conversation } from './ask-root.ts';
import type { Accepted } from './judge-answer.ts';
import { type BestAnswer, lastCall } from './last-call.ts';
import { takeTurn } from './take-turn.ts';
import type { LoopContext, TurnContext } from './turn-context.ts';
import { historyCommand, turnFeedback } from './turn-record.ts';

/** How the loop ended. */
export type LoopEnd =
  | { readonly kind: 'answered'; readonly answer: Accepted }
  | { readonly kind: 'limit'; readonly limit: LimitReached; readonly best: BestAnswer };

/**
 * Algorithm 1 of the paper: ask the root model, run the commands of its reply, return what they showed, until there is an
 * answer or a limit is reached; then one last call for the best answer there is.
 *
 * @throws ModelError, RlmError `repl-failure` when the run cannot go on
 */
export async function complete(conversation: Conversation, loop: LoopContext): Promise<LoopEnd> {
  const { run, recorder, limits, history } = loop;
  for (let number = 1; ; number++) {
    if (run.stop.limit !== undefined) return await endAtLimit(conversation, run.stop.limit, { ...loop, number });
    reportProgress(loop, number, 'asking the model');
    run.emit({ type: 'turn.started', turn: number });
    const startedAt = run.clock.now();
    const reply = await askRoot(conversation, number, run);
    if (reply.kind === 'limit') return await endAtLimit(conversation, reply.limit, { ...loop, number });

    const record = recorder.openTurn({ number, reply: reply.text, reasoning: reply.reasoning, startedAt });
    const turn: TurnContext = { ...loop, number, record };
    reportProgress(loop, number, 'running code');
    await takeTurn(reply, turn);
    const { accepted, continueWith } = record;
    if (accepted === undefined) recorder.draft = await draftOf(loop);
    run.stop.throwIfStopped();

    const limit =
      accepted === undefined ? (run.stop.limit ?? limits.count(record.counts(loop.tally), number)) : undefined;
    const next = limit === undefined ? number + 1 : undefined;
    if (accepted === undefined && limit === undefined) record.warn(limits.lastChance());
    const feedback = accepted === undefined ? run.journal.turn(number, turnFeedback(record, run, next)) : '';
    recorder.closeTurn(feedback, run.clock.now());
    history.addTurn({ reply: reply.text, commands: record.executed.map(historyCommand), feedback });
    run.emit({ type: 'turn.completed', turn: number, feedback, durationMs: run.clock.now() - startedAt });
    if (accepted !== undefined) return { kind: 'answered', answer: accepted };

    conversation.append(reply.text, feedback);
    if (continueWith !== undefined) conversation.continueWith(continueWith);
    if (limit !== undefined) return await endAtLimit(conversation, limit, turn);
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
  const best = await lastCall(conversation, limit, loop);
  return { kind: 'limit', limit, best };
}

function reportProgress({ run }: LoopContext, turn: number, status: string): void {
  const { maxTurns } = run.limits;
  run.emit({ type: 'run.progress', turn, maxTurns, fraction: Math.min(1, (turn - 1) / maxTurns), status });
}
