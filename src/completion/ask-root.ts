import { compactionSizes } from '../compact/sizes.ts';
import type { Conversation } from '../engine/conversation.ts';
import type { Run } from '../engine/run.ts';
import type { ShownImages } from '../engine/shown-images.ts';
import { type LimitReached, stopOfResource } from '../engine/stop-control.ts';
import type { Step } from '../journal/index.ts';
import { BudgetError } from '../ledger/index.ts';
import {
  type ChatMessage,
  estimateInput,
  type Model,
  ModelError,
  type ModelReply,
  type TextReader,
} from '../model/index.ts';
import { notes } from '../prompt/index.ts';
import { createReplyParser, renderToolCalls } from '../protocol/index.ts';
import { callModel } from '../subcall/call-model.ts';

/** Output tokens held back for the one last call, and the least a root call is worth sending with. */
export const LAST_CALL_TOKENS = 1_024;

/** The finish reason of a reply whose stream broke after a cell of it had begun. */
export const BROKEN_OFF = 'broken-off';

const RULE_REFUSED =
  'Your provider refused to answer the last message. Continue the task in a way it accepts, or say why it cannot be done.';

/** A root reply, or the limit that stood in the way of one. */
export type RootReply =
  | {
      readonly kind: 'reply';
      readonly text: string;
      readonly reasoning: string | undefined;
      readonly finishReason: string;
    }
  | { readonly kind: 'limit'; readonly limit: LimitReached };

/**
 * The root model's next reply. A conversation that nears the model's window, or that the provider refused for its length, is
 * compacted first. An answer that stays empty is a reply without text; a refusal by the provider's filter is asked again
 * once, in other words.
 *
 * @throws ModelError when the model cannot be used
 */
export async function askRoot(conversation: Conversation, asking: Asking): Promise<RootReply> {
  const { turn, run } = asking;
  try {
    const compacted = await compactIfDue(conversation, turn, run);
    try {
      return await askInOtherWords(conversation, asking);
    } catch (error) {
      if (!isTooLong(error)) throw error;
      const { compactRefused } = await import('./compact-refused.ts');
      if (!(await compactRefused(conversation, { turn, run, error, mayPay: !compacted }))) throw error;
    }
    return await askInOtherWords(conversation, asking);
  } catch (error) {
    // A limit may end the summary of old turns.
    run.stop.throwIfStopped();
    if (run.stop.limit === undefined) throw error;
    return { kind: 'limit', limit: run.stop.limit };
  }
}

/**
 * Compacts a conversation that nears the window of the root model, before it is sent. A resumed run repeats the compactions
 * of its journal, and makes no new one before a reply that it has recorded. The code is loaded where a run needs it.
 *
 * @returns whether it was compacted
 */
export async function compactIfDue(conversation: Conversation, turn: number, run: Run): Promise<boolean> {
  const recorded = (): boolean => run.journal.recorded({ kind: 'compaction', turn });
  if (!recorded() && (run.journal.recorded({ kind: 'root', turn }) || !nearsWindow(conversation, run))) return false;
  const { compact } = await import('./compact-conversation.ts');
  const window = rootModelOf(run).contextTokens ?? null;
  const sizes = compactionSizes(window ?? 0);
  do await compact(conversation, { run, turn, cause: 'window', window, sizes, mayPay: true });
  while (recorded());
  return true;
}

/** The conversation is above the size at which it is compacted. */
export function nearsWindow(conversation: Conversation, run: Run): boolean {
  const model = rootModelOf(run);
  return (
    model.contextTokens !== undefined &&
    estimateInput(model, conversation.messages) > compactionSizes(model.contextTokens).trigger
  );
}

function rootModelOf({ models, depth }: Pick<Run, 'models' | 'depth'>): Model {
  return models.inUse(models.at(depth));
}

/** The provider refused a prompt for its length. */
export function isTooLong(error: unknown): error is ModelError {
  return error instanceof ModelError && error.fault === 'context-length';
}

async function askInOtherWords(conversation: Conversation, asking: Asking): Promise<RootReply> {
  const { run } = asking;
  const reply = await ask(conversation.messages, asking).catch((error: unknown) => {
    // A message without images would have been taken.
    if (!(error instanceof ModelError) || error.fault !== 'bad-request') throw error;
    if (!conversation.dropImages(notes.IMAGES_REFUSED)) throw error;
    asking.images.refused = error.message.replace(/[.\s]+$/, '');
    return ask(conversation.messages, asking);
  });
  if (reply !== 'refused') return reply;
  const again = await ask(conversation.withLast(RULE_REFUSED), asking);
  if (again !== 'refused') return again;
  throw new ModelError({
    fault: 'refused',
    message: `${run.models.at(run.depth).id} refused to answer twice in a row.`,
  });
}

/** Records the beginning of a reply durably. @throws RlmError `store-failure` */
export type RecordBeginning = (text: string) => Promise<void>;

/** The cells of a reply, which run while the rest of it arrives. */
export interface CellsOfReply {
  /** The part of the reply whose cells were begun; undefined while nothing was. */
  readonly beginning: string | undefined;
  /** Reads the text of one attempt. It ends the stream where the model invents output, and after an answer. */
  reader(record: RecordBeginning): TextReader;
  /** The attempt has ended, and no further cell of it begins by itself. True when another attempt may replace it. */
  endAttempt(): boolean;
}

/** The parts of a question to the root model beside its messages. */
export interface Asking {
  /** From 1. */
  readonly turn: number;
  readonly run: Run;
  readonly early: CellsOfReply;
  /** Remembers that the endpoint refuses images. */
  readonly images: Pick<ShownImages, 'refused'>;
}

async function ask(messages: readonly ChatMessage[], asking: Asking): Promise<RootReply | 'refused'> {
  const { turn, run } = asking;
  const model = rootModelOf(run);
  const hold = (history: readonly ChatMessage[]): void =>
    run.ledger.holdFinal({ model, inputTokens: estimateInput(model, history), maxOutputTokens: LAST_CALL_TOKENS });
  hold(messages);
  // The code of a reply may spend everything but the price of a last call that repeats the reply.
  const holdFor = (text: string): void => hold([...messages, { role: 'assistant', content: text }]);
  const startedAt = run.clock.now();
  const reply = await run.journal.step({ kind: 'root', turn }, (step) =>
    send({ ...asking, messages, model, step, holdFor }),
  );
  if (reply !== 'refused' && reply.kind === 'reply') {
    const { text, reasoning, finishReason } = reply;
    holdFor(text);
    const durationMs = run.clock.now() - startedAt;
    const thought = reasoning === undefined ? {} : { reasoning };
    run.emit({
      type: 'model.replied',
      turn,
      model: run.models.inUse(model).id,
      text,
      ...thought,
      finishReason,
      durationMs,
    });
  }
  return reply;
}

interface Sending extends Asking {
  readonly messages: readonly ChatMessage[];
  readonly model: Model;
  readonly step: Step;
  /** Sets the price of a last call aside that repeats this much of the reply. */
  readonly holdFor: (text: string) => void;
}

async function send(sending: Sending): Promise<RootReply | 'refused'> {
  const { messages, model, step, run, early } = sending;
  // Cells of it have run: it is the reply, and the rest is not asked for again.
  if (step.beginning !== undefined) return brokenOff(step.beginning);
  const account = run.ledger.account({ kind: 'root', depth: run.depth });
  const affordable = account.affordableOutputTokens(model, estimateInput(model, messages));
  const { maxOutputTokens } = run.limits;
  try {
    const { text, reasoning, finishReason, toolCalls } = await callModel(
      {
        model,
        messages,
        // A shorter reply is better than none; below the worth of a last call the ledger refuses and the last call is made.
        maxOutputTokens: affordable < LAST_CALL_TOKENS ? maxOutputTokens : Math.min(maxOutputTokens, affordable),
        purpose: 'root',
        depth: run.depth,
        signal: run.stop.workSignal,
        account: step.account(account),
        readText: liveReader(sending),
        mayRepeat: () => early.endAttempt(),
      },
      run,
    );
    return { kind: 'reply', text: withToolCalls(text, toolCalls), reasoning, finishReason };
  } catch (error) {
    run.stop.throwIfStopped();
    return early.beginning === undefined ? handled(error, run) : brokenOff(early.beginning);
  } finally {
    early.endAttempt();
  }
}

/** The reply is the part of it whose cells have begun. */
function brokenOff(text: string): RootReply {
  return { kind: 'reply', text, reasoning: undefined, finishReason: BROKEN_OFF };
}

/** Turns a failure that the run can continue after into a reply or a limit; throws the rest. */
function handled(error: unknown, run: Run): RootReply | 'refused' {
  if (run.stop.limit !== undefined) return { kind: 'limit', limit: run.stop.limit };
  // The timer of the call and that of the run are due at the same instant, and the order in which they fire is open.
  if (error instanceof ModelError && error.fault === 'deadline' && error.data.ofRun === true) {
    return { kind: 'limit', limit: run.stop.timeIsUp() };
  }
  if (error instanceof BudgetError) {
    return { kind: 'limit', limit: { stop: stopOfResource(error.resource), reason: error.message } };
  }
  if (error instanceof ModelError && error.fault === 'empty') {
    // A reply of reasoning alone: the feedback says so, and the run continues.
    const { reasoning } = error.data;
    return {
      kind: 'reply',
      text: '',
      reasoning: typeof reasoning === 'string' ? reasoning : undefined,
      finishReason: 'stop',
    };
  }
  if (error instanceof ModelError && error.fault === 'refused') return 'refused';
  throw error;
}

/** A provider's own tool calls stand in the text of the reply, where one place reads them. */
export function withToolCalls(text: string, calls: ModelReply['toolCalls']): string {
  if (calls === undefined || calls.length === 0) return text;
  return text === '' ? renderToolCalls(calls) : `${text}\n${renderToolCalls(calls)}`;
}

/** Emits the text of each attempt as it arrives, runs its cells, and ends the reply early where the prompt asks for that. */
function liveReader({ turn, run, early, step, holdFor }: Sending): () => TextReader {
  const record = async (text: string): Promise<void> => {
    await step.begun(text);
    holdFor(text);
  };
  let attempt = 0;
  return () => {
    attempt += 1;
    const delta = { type: 'model.delta', turn, attempt } as const;
    const read = run.prompt.stopAfterFirstBlock === true ? stopAfterFirstCommand() : early.reader(record);
    return (text) => {
      const last = read(text);
      run.emit({ ...delta, text: last === undefined ? text : text.slice(0, last) });
      return last;
    };
  };
}

/** A line with its end, or what there is of one. */
const LINE = /[^\r\n]*(?:\r\n?|\n)|[^\r\n]+/g;

/** Ends the reply, and the provider's stream, with the line that closes the first command: no invented output is paid for. */
function stopAfterFirstCommand(): TextReader {
  const parser = createReplyParser();
  return (delta) => {
    let read = 0;
    for (const [line] of delta.matchAll(LINE)) {
      read += line.length;
      if (parser.push(line).commands.length > 0) return read;
    }
    return undefined;
  };
}
