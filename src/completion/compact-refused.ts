/**
 * Compaction after a refusal for length, and before the last call of a run.
 *
 * @module
 */
import { compactionSizes } from '../compact/sizes.ts';
import type { Conversation } from '../engine/conversation.ts';
import type { Run } from '../engine/run.ts';
import type { ModelError } from '../model/index.ts';
import { compact, cutDown, rootModelOf, sizesAfter } from './compact-conversation.ts';

/** Compacts a conversation that the provider refused for its length. False where nothing can go. */
export async function compactRefused(
  conversation: Conversation,
  of: { readonly run: Run; readonly turn: number; readonly error: ModelError; readonly mayPay: boolean },
): Promise<boolean> {
  const { run, turn, error, mayPay } = of;
  const fit = sizesAfter(error, conversation, rootModelOf(run));
  return await compact(conversation, { run, turn, cause: 'context-length', ...fit, mayPay });
}

/** Cuts a conversation that leaves no room for the last call of a run: nothing is paid for a summary. */
export function fitLastCall(conversation: Conversation, turn: number, run: Run): void {
  if (run.journal.recorded({ kind: 'final', turn })) return;
  const window = rootModelOf(run).contextTokens ?? null;
  cutDown(conversation, { run, turn, cause: 'window', window, sizes: compactionSizes(window ?? 0), mayPay: false });
}

/** Cuts a conversation whose last call was refused for its length, for one more try. */
export function cutRefused(
  conversation: Conversation,
  { run, turn, error }: { readonly run: Run; readonly turn: number; readonly error: ModelError },
): boolean {
  const fit = sizesAfter(error, conversation, rootModelOf(run));
  return cutDown(conversation, { run, turn, cause: 'context-length', ...fit, mayPay: false });
}
