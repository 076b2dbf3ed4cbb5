import type { Accepted } from '../completion/judge-answer.ts';
import { contextText } from '../context/context-text.ts';
import type { Run } from '../engine/run.ts';
import { messageOf, RlmError } from '../errors.ts';
import type { Step } from '../journal/index.ts';
import { BudgetError } from '../ledger/index.ts';
import { DIRECT_CONTEXT_BYTES } from '../limits.ts';
import { type ChatMessage, ModelError } from '../model/index.ts';
import { splitReasoning } from '../protocol/index.ts';
import { callModel } from '../subcall/call-model.ts';
import { messagesOf, rootModelOf } from './route.ts';

/** The answer, or a clause that says why the loop continues. */
export type DirectAnswer = { readonly accepted: Accepted } | { readonly because: string };

/**
 * Asks the root model once, with the whole context. A call that fails for its length, and a reply that is not an answer,
 * leave the run to the loop.
 *
 * @throws ModelError when the model cannot be used
 */
export async function answerDirectly(run: Run): Promise<DirectAnswer> {
  const whole = await contextText(run.contexts, DIRECT_CONTEXT_BYTES).catch((error: unknown) => {
    throw new RlmError({
      code: 'context-invalid',
      message: `The context cannot be read: ${messageOf(error)}.`,
      userAction: true,
      cause: error,
    });
  });
  if ('because' in whole) return whole;
  const messages = messagesOf(run, whole.text);
  // Turns count from 1: this call comes before the first.
  const reply = await run.journal.step({ kind: 'root', turn: 0 }, (step) => send(messages, step, run));
  return 'because' in reply ? reply : await judgeReply(reply, run);
}

type Reply = { readonly text: string; readonly cut: boolean } | { readonly because: string };

async function send(messages: readonly ChatMessage[], step: Step, run: Run): Promise<Reply> {
  const { depth, ledger, limits, stop } = run;
  try {
    const { text, finishReason } = await callModel(
      {
        ...{ model: rootModelOf(run), messages, purpose: 'root', depth },
        maxOutputTokens: limits.maxOutputTokens,
        // It is itself the last call: a caller who asks to finish gets its answer.
        signal: stop.hardSignal,
        account: step.account(ledger.account({ kind: 'root', depth })),
      },
      run,
    );
    return { text, cut: finishReason === 'length' };
  } catch (error) {
    return { because: continuesBecause(error, run) };
  }
}

/** Why the loop continues after a failure; throws the failures that would end the loop as well. */
function continuesBecause(error: unknown, { stop }: Run): string {
  stop.throwIfStopped();
  if (error instanceof ModelError && error.fault === 'deadline' && error.data.ofRun === true) stop.timeIsUp();
  if (stop.limit !== undefined || error instanceof BudgetError) return 'a limit has no room for a direct call';
  if (!(error instanceof ModelError)) throw error;
  switch (error.fault) {
    case 'context-length':
      return `the direct call was too long: ${error.message}`;
    case 'empty':
      return 'the direct reply was empty';
    case 'refused':
      return 'the provider refused the direct call';
    default:
      throw error;
  }
}

async function judgeReply(reply: Extract<Reply, { text: string }>, run: Run): Promise<DirectAnswer> {
  if (reply.cut) return { because: 'the direct reply was cut off at its length limit' };
  const text = splitReasoning(reply.text).text.trim();
  if (text === '') return { because: 'the direct reply was empty' };
  if (Buffer.byteLength(text) > run.limits.answerBytes) return { because: 'the direct answer is above answerBytes' };
  if (run.answerType === undefined) return { accepted: { stop: 'final', value: text, text } };
  const checked = await run.answerType.checkText(text);
  if (checked.ok) {
    const repair = await run.review?.repair(checked.value);
    if (repair !== undefined) return { because: 'citations of the direct answer are not in the context' };
    return { accepted: { stop: 'final', value: checked.value, text } };
  }
  return { because: `the direct answer did not fit the schema: ${checked.errors.join('; ')}` };
}
