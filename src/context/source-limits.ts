/**
 * Limits of contexts that come from elsewhere: URLs, revisions of git, resources of MCP servers. Each with its unit, its value and
 * why it has it.
 *
 * @module
 */

/** Bytes of one fetched file, after decompression: many times a long document, and an end of streams that have none. */
export const FETCH_BYTES: number = 100 * 1_024 * 1_024;
/** Milliseconds for one URL, from the first look-up to the last byte, with all redirects. */
export const FETCH_MS = 60_000;
/** Redirects that are followed: pages of people need two or three. */
export const FETCH_REDIRECTS = 5;
/** Entries of one git tree, wanted or not: as many files as one archive may hold, and the end of trees that repeat themselves. */
export const GIT_TREE_FILES = 200_000;
/** Bytes of the files of one git tree: as many as one archive may hold. */
export const GIT_TREE_BYTES: number = 1_024 ** 3;
/** Resources of one MCP server that are read as a folder: each is a request of its own. */
export const MCP_RESOURCES = 1_000;
/** Bytes of all resources that one source reads: they pass through this process's memory one by one. */
export const MCP_BYTES: number = 100 * 1_024 * 1_024;
/** Milliseconds for one request to an MCP server. */
export const MCP_REQUEST_MS = 60_000;
/** Seed values of one completion or child: the first message has a line for each. */
export const MAX_SEEDS = 64;
/** Attachments of one completion: the first message has a line for each. */
export const MAX_ATTACHMENTS = 64;
/** UTF-16 code units of the label of an attachment. */
export const ATTACHMENT_LABEL_CHARS = 200;
