import { REFUSED_SHARE } from '../compact/limits.ts';
import { type CompactionSizes, compactionSizes } from '../compact/sizes.ts';
import type { Conversation, ConversationView } from '../engine/conversation.ts';
import type { Run } from '../engine/run.ts';
import { messageOf } from '../errors.ts';
import type { CompactionCause } from '../event/event.ts';
import type { Step } from '../journal/index.ts';
import { estimateInput, type Model, type ModelError } from '../model/index.ts';
import {
  afterStep,
  type CompactionStep,
  type CompactionTask,
  droppedOutputs,
  planCut,
  planDrop,
  planRemoval,
} from './compaction-plan.ts';
import { summariseTurns } from './summarise-turns.ts';

/** Why and to which size a conversation is compacted. */
export interface CompactOptions {
  readonly run: Run;
  /** The turn that is about to be asked for. */
  readonly turn: number;
  readonly cause: CompactionCause;
  /** Tokens that the root model takes; null when unknown. */
  readonly window: number | null;
  readonly sizes: CompactionSizes;
  /** Whether a summary may be paid for. */
  readonly mayPay: boolean;
}

/** A compaction as the journal records it. */
interface CompactionRecord {
  readonly cause: CompactionCause;
  readonly steps: readonly CompactionStep[];
  /** Why a summary failed. */
  readonly failed?: string;
}

/**
 * Makes a conversation smaller: outputs that `history` returns are dropped, then old turns are summarised by the sub-model,
 * then cut. The system prompt, the query and the newest turns stay. One step of the journal.
 *
 * @returns false where nothing could go
 */
export async function compact(conversation: Conversation, options: CompactOptions): Promise<boolean> {
  const { run, turn } = options;
  const record = await run.journal.step({ kind: 'compaction', turn }, (step) => plan(conversation, options, step));
  apply(conversation, record, options);
  return record.steps.length > 0;
}

/** The same without a summary and without a record: before the last call, which a resumed run has recorded by itself. */
export function cutDown(conversation: Conversation, options: CompactOptions): boolean {
  const task = taskOf(conversation, options);
  const drop = stepsOf(planDrop(task));
  const left = after(task, drop);
  const removal = planRemoval(left).map(({ handle }) => handle);
  const cut: CompactionStep[] = removal.length === 0 ? [] : [{ step: 'cut', turns: removal }];
  const steps = [...drop, ...cut, ...planCut(after(left, cut))];
  apply(conversation, { cause: options.cause, steps }, options);
  return steps.length > 0;
}

async function plan(conversation: Conversation, options: CompactOptions, step: Step): Promise<CompactionRecord> {
  const { run, mayPay, cause, window } = options;
  const task = taskOf(conversation, options);
  const drop = stepsOf(planDrop(task));
  const left = after(task, drop);
  const old = planRemoval(left);
  const turns = old.map(({ handle }) => handle);
  const summary =
    old.length === 0 || !mayPay ? undefined : await summariseTurns(old, { run, step, window }).catch(failureIn(run));
  const removal: readonly CompactionStep[] =
    old.length === 0
      ? []
      : [typeof summary === 'string' ? { step: 'summarise', turns, summary } : { step: 'cut', turns }];
  const steps = [...drop, ...removal, ...planCut(after(left, removal))];
  return { cause, steps, ...(typeof summary === 'object' && summary) };
}

/** A failed summary is not the end: the turns are cut. A run that is stopped, or at a limit, ends as such. */
function failureIn(run: Run): (error: unknown) => { readonly failed: string } {
  return (error) => {
    run.stop.throwIfStopped();
    if (run.stop.limit !== undefined) throw error;
    return { failed: messageOf(error) };
  };
}

/** The model that the conversation is for. */
export function rootModelOf({ models, depth }: Run): Model {
  return models.inUse(models.at(depth));
}

function taskOf(conversation: Conversation, { run, sizes }: CompactOptions): CompactionTask {
  const model = rootModelOf(run);
  const tokensOf = (view: ConversationView): number => estimateInput(model, conversation.messagesOf(view));
  return { ...sizes, view: conversation.view, tokensOf };
}

function after(task: CompactionTask, steps: readonly CompactionStep[]): CompactionTask {
  return { ...task, view: steps.reduce(afterStep, task.view) };
}

function stepsOf(step: CompactionStep | undefined): readonly CompactionStep[] {
  return step === undefined ? [] : [step];
}

/** Takes the steps of a record, and emits which parts left the window. */
function apply(conversation: Conversation, record: CompactionRecord, options: CompactOptions): void {
  const { run, turn, window } = options;
  const { cause, steps, failed } = record;
  const { tokensOf, view } = taskOf(conversation, options);
  const lost = lossesOf(steps, view);
  const end = steps.reduce(afterStep, view);
  conversation.show(end);
  const base = { turn, cause };
  if (failed !== undefined) run.emit({ type: 'context.compaction-failed', ...base, message: failed });
  if (lost.outputs.length + lost.turnsSummarised.length > 0) {
    const { outputs, turnsSummarised, summaryChars, imagesDropped } = lost;
    run.emit({
      type: 'context.compacted',
      ...base,
      outputs,
      turnsSummarised,
      summaryChars,
      imagesDropped,
      tokensBefore: tokensOf(view),
      tokensAfter: tokensOf(end),
      window,
    });
  }
  const { turnsCut, summariesCut, turnsShortened } = lost;
  if (turnsCut.length + summariesCut.length + turnsShortened.length === 0) return;
  run.emit({
    type: 'context.truncated',
    ...base,
    turnsCut,
    summariesCut,
    turnsShortened,
    imagesDropped: lost.imagesCut,
  });
}

function lossesOf(steps: readonly CompactionStep[], view: ConversationView) {
  const turnsOf = (kind: 'drop' | 'summarise' | 'cut' | 'shorten'): readonly string[] =>
    steps.flatMap((step) => ('turns' in step && step.step === kind ? step.turns : []));
  const dropped = turnsOf('drop');
  const outputs = view.shown.filter(({ turn }) => dropped.includes(turn.handle)).flatMap(droppedOutputs);
  const added = steps.flatMap((step) => (step.step === 'summarise' ? [step] : []));
  const count = steps.reduce((sum, step) => sum + (step.step === 'cut-summaries' ? step.count : 0), 0);
  const all = [...view.summaries, ...added.map(({ turns, summary }) => ({ handles: turns, text: summary }))];
  return {
    outputs,
    imagesDropped: imagesGone(steps, view, ['drop', 'summarise']),
    imagesCut: imagesGone(steps, view, ['cut', 'shorten']),
    turnsSummarised: turnsOf('summarise'),
    summaryChars: added.reduce((sum, { summary }) => sum + summary.length, 0),
    turnsCut: turnsOf('cut'),
    summariesCut: all.slice(0, count).flatMap(({ handles }) => handles),
    turnsShortened: turnsOf('shorten'),
  };
}

/** How many images leave with the steps of some kinds. */
function imagesGone(
  steps: readonly CompactionStep[],
  view: ConversationView,
  kinds: readonly CompactionStep['step'][],
): number {
  const imagesIn = ({ shown }: ConversationView): number =>
    shown.reduce((sum, { messages: [, { images = [] }] }) => sum + images.length, 0);
  let now = view;
  let gone = 0;
  for (const step of steps) {
    const next = afterStep(now, step);
    if (kinds.includes(step.step)) gone += imagesIn(now) - imagesIn(next);
    now = next;
  }
  return gone;
}

/**
 * The sizes after a refusal. The provider may have named its limit and its count of the prompt: where it counts more tokens
 * than estimated, the sizes shrink by the same ratio. Without a window, the conversation is halved.
 */
export function sizesAfter(
  { data }: ModelError,
  conversation: Conversation,
  model: Model,
): { readonly window: number | null; readonly sizes: CompactionSizes } {
  const estimated = estimateInput(model, conversation.messages);
  const window = numberIn(data.limit) ?? model.contextTokens ?? null;
  const ratio = Math.max(1, (numberIn(data.size) ?? estimated) / estimated);
  const half = Math.max(1, Math.floor(REFUSED_SHARE * estimated));
  const byWindow = compactionSizes(window ?? Number.POSITIVE_INFINITY);
  const scaled = (size: number): number => Math.max(1, Math.floor(size / ratio));
  const trigger = scaled(byWindow.trigger);
  // An estimate below the trigger was refused all the same: it is too low.
  if (window === null || trigger >= estimated) return { window, sizes: { trigger: half, target: half } };
  return { window, sizes: { trigger, target: Math.min(half, scaled(byWindow.target)) } };
}

function numberIn(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}
