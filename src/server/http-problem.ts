/**
 * Refusals that HTTP itself knows: they concern the request, not a run, and have no row in the error table.
 *
 * @module
 */

/** Every refusal of HTTP: its status and the `type` of its envelope. */
const PROBLEMS = {
  'malformed-request': { status: 400, type: 'invalid_request_error' },
  'wrong-key': { status: 401, type: 'authentication_error' },
  'forbidden-host': { status: 403, type: 'invalid_request_error' },
  'forbidden-origin': { status: 403, type: 'invalid_request_error' },
  'unknown-route': { status: 404, type: 'invalid_request_error' },
  'method-not-allowed': { status: 405, type: 'invalid_request_error' },
  'slow-request': { status: 408, type: 'invalid_request_error' },
  'body-too-large': { status: 413, type: 'invalid_request_error' },
  'wrong-media-type': { status: 415, type: 'invalid_request_error' },
  'headers-too-large': { status: 431, type: 'invalid_request_error' },
  'shutting-down': { status: 503, type: 'server_error' },
} as const;

/** The `code` of such a refusal in the envelope. */
export type HttpProblemCode = keyof typeof PROBLEMS;

/** OpenAI's own word for a wrong key, which clients branch on. */
const ENVELOPE_CODES: Readonly<Partial<Record<HttpProblemCode, string>>> = { 'wrong-key': 'invalid_api_key' };

/** A request that is refused before anything is done. */
export class HttpProblem extends Error {
  readonly code: HttpProblemCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: HttpProblemCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'HttpProblem';
    this.code = code;
    this.headers = headers;
  }

  get status(): (typeof PROBLEMS)[HttpProblemCode]['status'] {
    return PROBLEMS[this.code].status;
  }

  /** In the envelope of OpenAI. */
  get body(): { readonly error: Readonly<Record<string, string | null>> } {
    const code = ENVELOPE_CODES[this.code] ?? this.code;
    return { error: { message: this.message, type: PROBLEMS[this.code].type, code, param: null } };
  }
}
