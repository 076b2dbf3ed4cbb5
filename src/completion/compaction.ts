import { compactionSizes } from '../compact/sizes.ts';
import type { Run } from '../engine/run.ts';
import { estimateInput, type Model, ModelError } from '../model/index.ts';
import type { Conversation } from './conversation.ts';

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

function nearsWindow(conversation: Conversation, run: Run): boolean {
  const model = rootModelOf(run);
  return (
    model.contextTokens !== undefined &&
    estimateInput(model, conversation.messages) > compactionSizes(model.contextTokens).trigger
  );
}

/** Compacts a conversation that the provider refused for its length. False for other errors, and where nothing can go. */
export async function compactRefused(
  conversation: Conversation,
  of: { readonly run: Run; readonly turn: number; readonly error: unknown; readonly mayPay: boolean },
): Promise<boolean> {
  const { run, turn, error, mayPay } = of;
  if (!isTooLong(error)) return false;
  const { compact, sizesAfter } = await import('./compact-conversation.ts');
  const fit = sizesAfter(error, conversation, rootModelOf(run));
  return await compact(conversation, { run, turn, cause: 'context-length', ...fit, mayPay });
}

/** Cuts a conversation that leaves no room for the last call of a run: nothing is paid for a summary. */
export async function fitLastCall(conversation: Conversation, turn: number, run: Run): Promise<void> {
  if (run.journal.recorded({ kind: 'final', turn }) || !nearsWindow(conversation, run)) return;
  const { cutDown } = await import('./compact-conversation.ts');
  const window = rootModelOf(run).contextTokens ?? null;
  cutDown(conversation, { run, turn, cause: 'window', window, sizes: compactionSizes(window ?? 0), mayPay: false });
}

/** Cuts a conversation whose last call was refused for its length, for one more try. */
export async function cutRefused(
  conversation: Conversation,
  { run, turn, error }: { readonly run: Run; readonly turn: number; readonly error: unknown },
): Promise<boolean> {
  if (!isTooLong(error)) return false;
  const { cutDown, sizesAfter } = await import('./compact-conversation.ts');
  const fit = sizesAfter(error, conversation, rootModelOf(run));
  return cutDown(conversation, { run, turn, cause: 'context-length', ...fit, mayPay: false });
}

function isTooLong(error: unknown): error is ModelError {
  return error instanceof ModelError && error.fault === 'context-length';
}

function rootModelOf({ models, depth }: Run): Model {
  return models.inUse(models.at(depth));
}
