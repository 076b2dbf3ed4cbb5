import type { RunEvent } from '../event/event.ts';
import type { CompletionRun } from '../run/run-handle.ts';

/** A piece of a run's reasoning: of the reply of a turn, or a line about one of its commands. */
export interface ReasoningPart {
  /** From 1. */
  readonly turn: number;
  readonly text: string;
}

/**
 * A run's turns as reasoning, while they happen: the root model's replies with their code, and a line for each command.
 * It ends with the run, whose failure is that of the run itself.
 */
export async function* narrate(
  run: Pick<CompletionRun<unknown>, 'id'> & AsyncIterable<RunEvent>,
): AsyncGenerator<ReasoningPart> {
  let reply: Reply = { turn: 0, attempt: 0, text: '' };
  for await (const event of run) {
    // The turns of children are theirs.
    if (event.runId !== run.id) continue;
    if (event.type === 'model.delta') {
      const { turn, attempt, text } = event;
      const again = reply.turn === turn && reply.attempt !== attempt && reply.text !== '';
      reply = again || reply.turn !== turn ? { turn, attempt, text: '' } : { ...reply, attempt };
      if (again) yield { turn, text: AGAIN };
      reply = { ...reply, text: reply.text + text };
      yield { turn, text };
    } else if (event.type === 'model.replied') {
      yield* rest(event, reply);
    } else if (event.type === 'cell.completed') {
      yield { turn: event.turn, text: `\n[${event.id}: ${commandWords(event)}]\n` };
    }
  }
}

/** The narrated part of the reply that arrives. */
interface Reply {
  readonly turn: number;
  readonly attempt: number;
  readonly text: string;
}

const AGAIN = '\n[The reply broke off and is sent again.]\n';

/** Pieces may be dropped for a slow reader; the whole reply says which. */
function* rest({ turn, text }: Extract<RunEvent, { type: 'model.replied' }>, reply: Reply): Generator<ReasoningPart> {
  const sent = reply.turn === turn ? reply.text : '';
  if (text.startsWith(sent)) {
    if (text.length > sent.length) yield { turn, text: text.slice(sent.length) };
  } else if (!sent.startsWith(text)) yield { turn, text: `${AGAIN}${text}` };
}

function commandWords({
  ok,
  error,
  subCalls,
  failedSubCalls,
  durationMs,
}: Extract<RunEvent, { type: 'cell.completed' }>): string {
  const words = [ok ? 'ok' : (error?.type ?? 'failed')];
  if (subCalls > 0) words.push(`${subCalls} sub-calls${failedSubCalls > 0 ? `, ${failedSubCalls} failed` : ''}`);
  return [...words, `${(durationMs / 1_000).toFixed(1)} s`].join(', ');
}
