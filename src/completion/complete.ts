import { parseReply } from '../protocol/index.ts';
import type { Accepted } from './accept-answer.ts';
import { askRoot } from './ask-root.ts';
import type { Conversation } from './conversation.ts';
import { type BestAnswer, lastCall } from './last-call.ts';
import type { LimitReached } from './stop-control.ts';
import { feedbackOf, type TurnContext, takeTurn } from './take-turn.ts';

/** How the loop ended. */
export type LoopEnd =
  | { readonly kind: 'answered'; readonly answer: Accepted }
  | { readonly kind: 'limit'; readonly limit: LimitReached; readonly best: BestAnswer };

/**
 * Algorithm 1 of the paper: ask the root model, run what its reply asks for, tell it what came of it, until there is an
 * answer or a limit is reached; then one last call for the best answer there is.
 *
 * @throws ModelError, RlmError `repl-failure` when the run cannot go on
 */
export async function complete(conversation: Conversation, context: Omit<TurnContext, 'number'>): Promise<LoopEnd> {
  const { run, recorder, progress, history } = context;
  for (let number = 1; ; number++) {
    const turn: TurnContext = { ...context, number };
    if (run.stop.limit !== undefined) return await endAtLimit(conversation, run.stop.limit, turn);
    progressEvent(turn, 'asking the model');
    run.emit({ type: 'turn.started', turn: number });
    const startedAt = run.clock.now();
    const reply = await askRoot(conversation, number, run);
    if (reply.kind === 'limit') return await endAtLimit(conversation, reply.limit, turn);

    recorder.openTurn({ number, reply: reply.text, reasoning: reply.reasoning, startedAt });
    progressEvent(turn, 'running code');
    const outcome = await takeTurn(parseReply(reply.text, { finishReason: reply.finishReason }), turn);
    if (outcome.accepted === undefined) recorder.draft = await draftOf(turn);
    run.stop.throwIfStopped();

    const limit =
      outcome.accepted === undefined ? (run.stop.limit ?? progress.count(outcome.tally, number)) : undefined;
    const next = limit === undefined ? number + 1 : undefined;
    const feedback = outcome.accepted === undefined ? run.journal.turn(number, feedbackOf(outcome, turn, next)) : '';
    recorder.closeTurn(feedback, run.clock.now());
    history.addTurn({ reply: reply.text, commands: outcome.history, feedback });
    run.emit({ type: 'turn.completed', turn: number, feedback, durationMs: run.clock.now() - startedAt });
    if (outcome.accepted !== undefined) return { kind: 'answered', answer: outcome.accepted };

    conversation.append(reply.text, feedback);
    if (outcome.continueWith !== undefined) conversation.continueWith(outcome.continueWith);
    if (limit !== undefined) return await endAtLimit(conversation, limit, turn);
  }
}

/** The draft after a turn, also of one that was stopped in the middle: it is part of what was gained. */
async function draftOf({ repl, run }: TurnContext): Promise<string | undefined> {
  try {
    return (await repl.draft())?.text;
  } catch (error) {
    // A run that was stopped ends as that, whatever its REPL has come to.
    run.stop.throwIfStopped();
    throw error;
  }
}

async function endAtLimit(conversation: Conversation, limit: LimitReached, turn: TurnContext): Promise<LoopEnd> {
  const { run } = turn;
  run.limitReached(limit, turn.number);
  progressEvent(turn, 'asking for the best answer');
  const best = await lastCall(conversation, limit, turn);
  return { kind: 'limit', limit, best };
}

function progressEvent({ run, number }: TurnContext, status: string): void {
  const { maxTurns } = run.limits;
  run.emit({ type: 'run.progress', turn: number, maxTurns, fraction: Math.min(1, (number - 1) / maxTurns), status });
}
