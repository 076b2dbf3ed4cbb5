/**
 * Limits of the MCP server: what one client may hold of it, and how much it reads at once.
 *
 * @module
 */

const MIB = 1024 * 1024;

/** The port of `fathom mcp --http` without `--port`: next to that of `fathom serve`. */
export const DEFAULT_MCP_PORT = 8_001;

/** Every limit of an MCP server. Callers give a part; the rest takes {@link MCP_LIMITS}. */
export interface McpLimits {
  /** Milliseconds between two progress messages at the most. Default 15 000: clients end silent calls after 60 s. */
  readonly progressMs: number;
  /**
   * Milliseconds that a run continues without the client that asked for it. Default 600 000: time to ask again after a
   * timeout.
   */
  readonly lingerMs: number;
  /** Runs of one client at once, waiting ones included. Default 64, as for a key of `fathom serve`. */
  readonly maxRuns: number;
  /**
   * Tokens of text in one result, estimated. Default 8 000: it is sent as text and as structured content, and clients reject
   * results above 25 000 tokens.
   */
  readonly pageTokens: number;
  /** Tokens of the beginning of an answer that has several pages. Default 2 000: enough to know whether to read on. */
  readonly summaryTokens: number;
  /** Bytes of one message over pipes. Default 32 MiB, as for a body over HTTP (`bodyBytes`). A longer one ends the connection. */
  readonly messageBytes: number;
  /** Milliseconds that runs have to stop at shutdown. Default 5 000: clients kill a server that does not end. */
  readonly shutdownMs: number;
}

/** The defaults; each is explained at its field in {@link McpLimits}. */
export const MCP_LIMITS: McpLimits = {
  progressMs: 15_000,
  lingerMs: 600_000,
  maxRuns: 64,
  pageTokens: 8_000,
  summaryTokens: 2_000,
  messageBytes: 32 * MIB,
  shutdownMs: 5_000,
};

/** Milliseconds after which a client that has too many runs may ask again: runs take seconds. */
export const TOO_MANY_RUNS_RETRY_MS = 1_000;
/** Paths of one call: a longer list is a folder. */
export const MAX_PATHS = 1_000;
/** Characters of a question, which the root model reads whole. Longer texts are data. */
export const MAX_QUESTION_CHARS = 100_000;
/** Seconds that `result` waits at the most: clients end a call after 60. */
export const MAX_WAIT_SECONDS = 50;
/** Runs that `status` lists. */
export const LISTED_RUNS = 50;
/** Characters of a question in a list of runs. */
export const LISTED_QUESTION_CHARS = 200;
/** Characters of an unknown id that an error repeats. */
export const SHOWN_ID_CHARS = 64;
/** Milliseconds for a client to list its roots: its program knows them. */
export const ROOTS_TIMEOUT_MS = 5_000;
/** Roots of a client that are looked at: an editor has a few folders open. */
export const MAX_CLIENT_ROOTS = 100;
/** Milliseconds before its end at which a session that is used is extended. */
export const EXTEND_BEFORE_MS = 300_000;
/** Milliseconds that `start` waits until the store has the run: a REPL starts in less. */
export const START_WAIT_MS = 10_000;
