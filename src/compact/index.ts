/**
 * `fathom-rlm/compact`: keeps the conversation of a host's agent within its model's window.
 *
 * @example
 * ```ts
 * import { compactMessages, memoryParts } from 'fathom-rlm/compact';
 *
 * const parts = memoryParts();
 * const { messages, events } = await compactMessages({ messages: history, window: 128_000, parts });
 * ```
 *
 * @module
 */
export {
  type CompactedMessages,
  type CompactMessagesOptions,
  compactMessages,
  type MessageCompactionEvent,
} from './compact-messages.ts';
export { fileParts, memoryParts, type PartPage, type PartStore, readPart } from './parts.ts';
export { type CompactionSizes, compactionSizes } from './sizes.ts';
