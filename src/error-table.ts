/**
 * How the command and every door report each error code. docs/errors.md is made from this table and from the lines of
 * `RlmErrorCode`.
 *
 * @module
 */
import type { RlmErrorCode } from './errors.ts';

/** A door over the engine that reports errors in a form of its own, besides the command. */
export type Door = 'ai-sdk' | 'server' | 'mcp';

/** How one error code is reported. */
export interface ErrorRow {
  /** Of the command; an error with `userAction` or `budget` has 5 or 4 in place of 1. */
  readonly exit: 1 | 2 | 4 | 5;
  /** HTTP status. */
  readonly status: number;
  /** `type` of the OpenAI error envelope. */
  readonly type: string;
  /** `code` of the envelope, where OpenAI has a word of its own that clients branch on. Default: the code itself. */
  readonly envelopeCode?: string;
  /** `param` of the envelope, unless the error names one. */
  readonly param?: string;
  /** JSON-RPC code; the error's `data.code` has the code itself. */
  readonly rpc: number;
  /** Whether the same request may succeed unchanged. `sometimes`: the single error says it. */
  readonly retryable: 'yes' | 'no' | 'sometimes';
  /** Doors that cannot raise it: clauses that say why. */
  readonly never?: Readonly<Partial<Record<Door, string>>>;
}

/** JSON-RPC: its own codes, and those that implementations may define (-32000 to -32019). */
const RPC = {
  invalidParams: -32_602,
  internal: -32_603,
  overloaded: -32_010,
  notFound: -32_011,
  conflict: -32_012,
  setup: -32_013,
  model: -32_014,
  budget: -32_015,
  cancelled: -32_016,
} as const;

const CALLER = {
  exit: 1,
  status: 400,
  type: 'invalid_request_error',
  rpc: RPC.invalidParams,
  retryable: 'no',
} as const;
const MISSING = { ...CALLER, status: 404, rpc: RPC.notFound } as const;
const CONFLICT = { ...CALLER, status: 409, rpc: RPC.conflict } as const;
const GONE = { ...CALLER, status: 410, rpc: RPC.notFound } as const;
const SETUP = { exit: 5, status: 500, type: 'server_error', rpc: RPC.setup, retryable: 'no' } as const;
const INTERNAL = { exit: 1, status: 500, type: 'server_error', rpc: RPC.internal, retryable: 'no' } as const;
const PROVIDER = { ...INTERNAL, status: 502, rpc: RPC.model } as const;
const BUSY = { ...INTERNAL, status: 429, type: 'rate_limit_error', rpc: RPC.overloaded } as const;

const NO_SESSION = 'it opens no session';
const NO_RESUME = 'it resumes no run';
const EXTENDS_ITSELF = 'it extends a session that is used, as often as possible';
const LEFT_ALONE = 'it leaves runs of other processes alone';
const AT_START = 'tools are checked when the `Rlm` is made';
const OWN_LIMITS = 'limits are those of the server, and its tools check their arguments';
const ONE_CONTEXT = 'a question has one piece of data';
const RESERVED = { 'ai-sdk': 'reserved', server: 'reserved', mcp: 'reserved' } as const;
const NO_FETCH = 'only the caller of the library or of the command fetches';
const FETCHES_NOTHING = { 'ai-sdk': NO_FETCH, server: NO_FETCH, mcp: NO_FETCH } as const;
const NO_SEEDS = 'its requests have no seed values';
const ANSWER_OF_MODEL = 'the model gets it as feedback, and at the end the result says so';
const EXHAUSTED = 'a run at its limit ends with its best answer: its outcome is `exhausted`';

/** One row for each code. */
export const ERROR_TABLE: Readonly<Record<RlmErrorCode, ErrorRow>> = {
  'invalid-name': { ...CALLER, exit: 2 },
  'reserved-name': CALLER,
  'duplicate-name': { ...CALLER, never: { mcp: ONE_CONTEXT } },
  'invalid-tool-name': { ...CALLER, never: { 'ai-sdk': AT_START, server: AT_START, mcp: AT_START } },
  'invalid-limit': { ...CALLER, exit: 2, never: { mcp: OWN_LIMITS } },
  'invalid-option': { ...CALLER, exit: 2 },
  'invalid-seed': { ...CALLER, never: { 'ai-sdk': NO_SEEDS, server: NO_SEEDS, mcp: NO_SEEDS } },
  'variable-not-found': { ...MISSING, never: { 'ai-sdk': NO_SESSION } },
  'not-json': { ...CALLER, never: { 'ai-sdk': NO_SESSION } },
  'snapshot-not-found': { ...MISSING, never: { 'ai-sdk': NO_SESSION } },
  'snapshot-exists': { ...CONFLICT, never: { 'ai-sdk': NO_SESSION } },
  'snapshot-limit': { ...CONFLICT, never: { 'ai-sdk': NO_SESSION } },
  'extension-limit': { ...CONFLICT, never: { 'ai-sdk': NO_SESSION, mcp: EXTENDS_ITSELF } },
  'session-not-found': { ...MISSING, never: { 'ai-sdk': NO_SESSION } },
  'session-closed': { ...GONE, never: { 'ai-sdk': NO_SESSION } },
  'session-expired': { ...GONE, never: { 'ai-sdk': NO_SESSION } },
  'session-locked': { ...CONFLICT, never: { 'ai-sdk': NO_SESSION } },
  'run-not-found': { ...MISSING, never: { 'ai-sdk': NO_RESUME } },
  'run-locked': { ...CONFLICT, never: { 'ai-sdk': NO_RESUME, mcp: LEFT_ALONE } },
  'model-not-found': {
    ...SETUP,
    status: 404,
    type: 'invalid_request_error',
    envelopeCode: 'model_not_found',
    param: 'model',
  },
  'model-not-allowed': { ...SETUP, never: RESERVED },
  'missing-key': SETUP,
  'price-unknown': SETUP,
  'context-not-found': { ...CALLER, exit: 5 },
  'context-invalid': { ...CALLER, exit: 5, param: 'messages' },
  'fetch-refused': { ...CALLER, exit: 5, never: FETCHES_NOTHING },
  'fetch-failed': { ...INTERNAL, status: 502, rpc: RPC.setup, retryable: 'sometimes', never: FETCHES_NOTHING },
  'context-length': { ...CALLER, envelopeCode: 'context_length_exceeded', param: 'messages', rpc: RPC.model },
  budget: {
    ...BUSY,
    exit: 4,
    type: 'insufficient_quota',
    envelopeCode: 'insufficient_quota',
    rpc: RPC.budget,
    never: { 'ai-sdk': EXHAUSTED, server: EXHAUSTED, mcp: EXHAUSTED },
  },
  overloaded: { ...BUSY, retryable: 'yes' },
  'rate-limited': { ...BUSY, envelopeCode: 'rate_limit_exceeded', retryable: 'sometimes' },
  'model-failure': { ...PROVIDER, retryable: 'sometimes' },
  'model-refused': { ...PROVIDER, status: 422, type: 'invalid_request_error', envelopeCode: 'content_filter' },
  'bad-request': PROVIDER,
  cancelled: { ...CONFLICT, rpc: RPC.cancelled },
  timeout: { ...PROVIDER, status: 504, retryable: 'sometimes' },
  'repl-failure': INTERNAL,
  'isolation-unavailable': SETUP,
  'channel-violation': INTERNAL,
  'answer-invalid': {
    ...INTERNAL,
    never: { 'ai-sdk': ANSWER_OF_MODEL, server: ANSWER_OF_MODEL, mcp: ANSWER_OF_MODEL },
  },
  'answer-too-large': {
    ...INTERNAL,
    never: { 'ai-sdk': ANSWER_OF_MODEL, server: ANSWER_OF_MODEL, mcp: ANSWER_OF_MODEL },
  },
  'store-failure': INTERNAL,
};

/** An error of another version of this package. */
const UNKNOWN: ErrorRow = INTERNAL;

/** How a code is reported; a code of another version is reported as a failure of Fathom. */
export function errorRow(code: RlmErrorCode): ErrorRow {
  return Object.hasOwn(ERROR_TABLE, code) ? ERROR_TABLE[code] : UNKNOWN;
}
