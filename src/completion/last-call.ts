import type { Conversation } from '../engine/conversation.ts';
import type { Run } from '../engine/run.ts';
import type { LimitReached } from '../engine/stop-control.ts';
import { RlmError } from '../errors.ts';
import type { Evidence } from '../event/event.ts';
import type { Step } from '../journal/index.ts';
import { LAST_CALL_MS } from '../ledger/index.ts';
import { type ChatMessage, estimateInput } from '../model/index.ts';
import { notes } from '../prompt/index.ts';
import { type Command, isOnlyCommands, parseReply, proseAnswerOf, withoutReasoning } from '../protocol/index.ts';
import type { Answer } from '../repl/port.ts';
import { callModel } from '../subcall/call-model.ts';
import { isTooLong, withToolCalls } from './ask-root.ts';
import { type Accepted, judgeCommand } from './judge-answer.ts';
import type { LoopContext } from './turn-context.ts';

/** The best there was when a limit ended the run. */
export interface BestAnswer {
  /** Once it is settled. */
  readonly evidence?: Evidence;
  readonly value: unknown;
  readonly text: string;
}

const NOTHING: BestAnswer = { value: undefined, text: '' };
/** A reply that is one fenced block, as models give JSON. */
const FENCED = /^```[^\n`]*\n(.*)\n```$/s;

/** Output tokens for which the newest turn is cut down: fewer hold no answer. */
const WORTHWHILE_TOKENS = 256;
/** Characters of a reply and its feedback at most and at least where they are cut down, by halves. */
const MOST_CHARS = 32_768;
const LEAST_CHARS = 256;

/**
 * One last call that asks for the best answer now, paid from the reserve. An explicit final answer beats the draft in
 * `answer["content"]`, and the draft beats prose. Without room for the call, or when it fails, the draft is the answer.
 */
export async function lastCall(
  conversation: Conversation,
  limit: LimitReached,
  loop: LoopContext & { readonly number: number },
): Promise<BestAnswer> {
  const { run } = loop;
  const text = await askForBest(conversation, limit, loop);
  const explicit = await explicitAnswer(text, loop);
  if (explicit !== undefined) return explicit;
  const draft = await loop.repl.draft().catch(() => undefined);
  if (draft !== undefined) return await fromDraft(draft, loop);
  const prose = withoutReasoning(text);
  if (prose === '') return NOTHING;
  const answer = answerAtTheEnd(prose);
  for (const candidate of [FENCED.exec(prose)?.[1] ?? prose, ...(answer === undefined ? [] : [answer])]) {
    const checked = await run.answerType?.checkText(candidate);
    if (checked?.ok === true) return { value: checked.value, text: candidate };
  }
  if (run.answerType === undefined && answer !== undefined) return { value: answer, text: answer };
  // Commands are written to be run, not to be read.
  if (isOnlyCommands(prose)) return NOTHING;
  return { value: run.answerType === undefined ? prose : undefined, text: prose };
}

/** The answer that the last line of a text gives: `Final Answer: 42`. In an earlier line it is only its beginning. */
function answerAtTheEnd(text: string): string | undefined {
  return proseAnswerOf(text.trimEnd().split('\n').at(-1) ?? '');
}

async function askForBest(
  conversation: Conversation,
  limit: LimitReached,
  { run, recorder, number }: LoopContext & { readonly number: number },
): Promise<string> {
  const prompt = notes.lastCallMessage(limit.reason);
  const reply = await run.journal.step({ kind: 'final', turn: number }, (step) =>
    send({ conversation, prompt, limit, step, run, number }),
  );
  if (reply !== '') recorder.setLastCall(prompt, reply);
  return reply;
}

interface Sending {
  readonly conversation: Conversation;
  readonly prompt: string;
  readonly limit: LimitReached;
  readonly step: Step;
  readonly run: Run;
  readonly number: number;
}

async function send(sending: Sending): Promise<string> {
  const { conversation, run, number } = sending;
  try {
    return await sendOnce(sending).catch(async (error: unknown) => {
      if (!isTooLong(error)) throw error;
      const { cutRefused } = await import('./compact-refused.ts');
      if (!cutRefused(conversation, { run, turn: number, error })) throw error;
      return await sendOnce(sending);
    });
  } catch (error) {
    run.stop.throwIfStopped();
    // The run has ended already: what the last call could not add is not worth losing the rest for.
    if (RlmError.isInstance(error)) return '';
    throw error;
  }
}

async function sendOnce({ conversation, prompt, limit, step, run }: Sending): Promise<string> {
  const model = run.models.inUse(run.models.at(run.depth));
  const account = run.ledger.account({ kind: 'final', depth: run.depth });
  const outputTokens = (messages: readonly ChatMessage[]): number =>
    account.affordableOutputTokens(model, estimateInput(model, messages));
  let messages = conversation.withLast(prompt);
  // The reserve was held before it was known what the newest turn would add.
  for (let chars = MOST_CHARS; chars >= LEAST_CHARS && outputTokens(messages) < WORTHWHILE_TOKENS; chars /= 2) {
    messages = conversation.withLastBrief(prompt, chars);
  }
  const reply = await callModel(
    {
      model,
      messages,
      maxOutputTokens: Math.max(1, Math.min(run.limits.maxOutputTokens, outputTokens(messages))),
      purpose: 'final',
      depth: run.depth,
      signal: run.stop.hardSignal,
      // A caller who asks for the best answer now does not wait for a provider's long cool-down.
      ...(limit.stop === 'finish-requested' && { sendBy: run.clock.now() + LAST_CALL_MS }),
      account: step.account(account),
    },
    run,
  );
  return withToolCalls(reply.text, reply.toolCalls);
}

async function explicitAnswer(text: string, loop: LoopContext): Promise<BestAnswer | undefined> {
  const { run, repl, answers } = loop;
  const command = finalIn(text, run);
  if (command === undefined) return undefined;
  const situation = { run, repl, answers, afterFailure: false, afterCode: false, lastCall: true };
  const verdict = await judgeCommand(command, situation).catch(() => undefined);
  if (verdict === undefined) return undefined;
  if ('accepted' in verdict) return asBest(verdict.accepted);
  // A typed answer that does not fit still says what the model meant.
  if (verdict.errors !== undefined && command.type === 'final') return { value: undefined, text: command.value };
  return undefined;
}

type Final = Extract<Command, { type: 'final' | 'final-var' }>;

/** The final answer of a reply; else the one that it most likely means, where its form is wrong. */
function finalIn(text: string, { answerType }: Pick<Run, 'answerType'>): Final | undefined {
  const { commands, rejected } = parseReply(text, { jsonAnswer: answerType !== undefined });
  const given = commands.find(isFinal);
  if (given !== undefined || commands.length > 0) return given;
  return rejected
    .filter(({ code }) => code !== 'answer-in-prose')
    .flatMap(({ send = '' }) => parseReply(send).commands)
    .find(isFinal);
}

function isFinal(command: Command): command is Final {
  return command.type === 'final' || command.type === 'final-var';
}

function asBest(accepted: Accepted): BestAnswer {
  return { value: accepted.value, text: accepted.text };
}

async function fromDraft(draft: Answer, { run }: LoopContext): Promise<BestAnswer> {
  if (run.answerType === undefined) return { value: draft.text, text: draft.text };
  const checked = await run.answerType.check(draft);
  return { value: checked.ok ? checked.value : undefined, text: draft.text };
}
