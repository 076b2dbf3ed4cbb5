/**
 * Limits of compaction: sizes are estimated tokens unless the name says otherwise.
 *
 * @module
 */

/** Share of the room for messages at which a conversation is compacted: estimates of its size may be a tenth too low. */
export const COMPACTION_SHARE = 0.9;
/** Share of the trigger to which a conversation is made smaller: each compaction breaks the provider's prefix cache once. */
export const COMPACTION_TARGET_SHARE = 0.5;
/** Tokens kept free for a reply, at most; a quarter of a small window is less. */
export const COMPACTION_REPLY_TOKENS = 8_192;
/** Tokens kept free for chat templates. */
export const COMPACTION_MARGIN_TOKENS = 2_048;
/** Newest turns that keep their text: the model works on their outputs. */
export const COMPACTION_KEPT_TURNS = 2;
/** Output tokens of a summary of old turns: enough for the facts, and small beside a window of 8 192. */
export const SUMMARY_TOKENS = 1_024;
/** Characters of each output in the request for a summary, at most and at least; halved until the request fits. */
export const SUMMARY_OUTPUT_CHARS = 8_192;
export const SUMMARY_LEAST_OUTPUT_CHARS = 256;
/** Characters of each output of the newest turns, at most and at least, where even these do not fit; halved until they do. */
export const NEWEST_OUTPUT_CHARS = 16_384;
export const NEWEST_LEAST_OUTPUT_CHARS = 512;
/** Share of a refused conversation to which it is made smaller where the provider does not say how large its window is. */
export const REFUSED_SHARE = 0.5;
/** Newest steps of a host agent that keep their text: an assistant message with the results of its tools is one step. */
export const KEPT_STEPS = 3;
/** Characters of a tool's output up to which it stays: the line that would replace it is as long. */
export const SHORT_OUTPUT_CHARS = 300;
/** Tokens that a file or an image counts for in an estimate: providers scale images down to about so many. */
export const FILE_TOKENS = 1_600;
/** Characters of a page of a stored part. */
export const PAGE_CHARS = 8_000;
