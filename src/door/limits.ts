/**
 * Limits of messages, for every door.
 *
 * @module
 */

/** Characters (UTF-16) up to which the last message of a chat is the query: about two pages, all of which the root model reads. */
export const DOOR_QUERY_CHARS = 8_000;
/** Characters of the beginning and of the end of a longer message that its query shows: a question is usually at one of them. */
export const DOOR_EXCERPT_CHARS = 1_000;
/** Images in the messages of one request, earlier ones included: as many as one sub-call takes. */
export const DOOR_IMAGES = 16;
/** Bytes of one image in a message: the most that a sub-call, and Anthropic, take. */
export const DOOR_IMAGE_BYTES: number = 5 * 1024 * 1024;
