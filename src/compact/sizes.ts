import {
  COMPACTION_MARGIN_TOKENS,
  COMPACTION_REPLY_TOKENS,
  COMPACTION_SHARE,
  COMPACTION_TARGET_SHARE,
} from './limits.ts';

/** Sizes of a conversation, in tokens. */
export interface CompactionSizes {
  /** A larger conversation is compacted. */
  readonly trigger: number;
  /** The size after compaction, at most: the next one is then some turns away. */
  readonly target: number;
}

/** When a conversation is compacted in a window of so many tokens, and to which size. */
export function compactionSizes(window: number): CompactionSizes {
  const room = window - Math.min(COMPACTION_REPLY_TOKENS, window / 4) - COMPACTION_MARGIN_TOKENS;
  const trigger = Math.max(1, Math.floor(COMPACTION_SHARE * room));
  return { trigger, target: Math.max(1, Math.floor(COMPACTION_TARGET_SHARE * trigger)) };
}
