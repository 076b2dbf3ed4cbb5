/**
 * Takes keys out of what providers send back.
 *
 * @module
 */

/** The text that replaces a key. */
const PLACEHOLDER = '[key]';

/** Characters of a key, or of another form of it, that are enough to be taken out of an error. */
const PART_CHARS = 12;

/** The form of the known providers' keys, whole or with stars in the middle, as error messages quote them. */
const KEY_SHAPES = /\b(?:sk|pk|rk|gsk|xai|key|AIza|Bearer )[-_A-Za-z0-9*.]{8,}/g;

/** Replaces whatever looks like a key. */
export function redactKeys(text: string): string {
  return text.replace(KEY_SHAPES, PLACEHOLDER);
}

/** Names of headers that carry a key. Others (versions, feature flags) help to understand an error. */
const KEY_HEADER = /auth|key|token|secret|cookie|password/i;

/** The secrets of a request: the key, and the values of added headers that carry one, without a word before it. */
export function secretsOf(key: string | undefined, headers: Readonly<Record<string, string>> = {}): readonly string[] {
  const values = Object.entries(headers).filter(([name]) => KEY_HEADER.test(name));
  const inHeaders = values.map(([, value]) => value.replace(/^\w+ +/, '')).filter(({ length }) => length >= PART_CHARS);
  return [...(key === undefined || key === '' ? [] : [key]), ...inHeaders];
}

/**
 * Takes keys out of the text of errors: as they are, in upper or lower case, as base64 (also behind a user name), in URLs,
 * in hex, and any 12 consecutive characters of these; then whatever else looks like a key.
 */
export function keyRedactor(secrets: readonly string[]): (text: string) => string {
  const parts = new Set(secrets.flatMap(partsOf));
  return (text) => redactKeys(withoutParts(withoutSecrets(text, secrets), parts));
}

/** Takes keys out of what a model sends. Servers that need no key are given words such as `none`, which stay. */
export interface ReplyFilters {
  readonly text: ReplyFilter;
  readonly reasoning: ReplyFilter;
  /** For a text in one piece. */
  readonly whole: (text: string) => string;
}

/** Takes keys out of a text that comes in pieces: a possible beginning of a key waits for the next piece. */
export interface ReplyFilter {
  /** Returns the text that can be passed on. */
  push(piece: string): string;
  /** Returns the text that waited, when the reply ends. */
  end(): string;
}

/** Filters for one reply. */
export function replyFilters(secrets: readonly string[]): ReplyFilters {
  const long = secrets.filter((secret) => secret.length >= PART_CHARS);
  return { text: replyFilter(long), reasoning: replyFilter(long), whole: (text) => withoutSecrets(text, long) };
}

function replyFilter(secrets: readonly string[]): ReplyFilter {
  let waiting = '';
  return {
    push(piece) {
      const text = withoutSecrets(waiting + piece, secrets);
      const kept = Math.max(0, ...secrets.map((secret) => beginningAtEnd(text, secret)));
      waiting = text.slice(text.length - kept);
      return text.slice(0, text.length - kept);
    },
    end() {
      const rest = waiting;
      waiting = '';
      return rest;
    },
  };
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((left, secret) => left.replaceAll(secret, PLACEHOLDER), text);
}

/** How many characters at the end of a text are the beginning of the key. */
function beginningAtEnd(text: string, key: string): number {
  for (let length = Math.min(key.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(key.slice(0, length))) return length;
  }
  return 0;
}

/** All runs of 12 characters of a key and of its other forms, in lower case. */
function partsOf(key: string): readonly string[] {
  return formsOf(key).flatMap((form) => {
    const starts = Array.from({ length: Math.max(0, form.length + 1 - PART_CHARS) }, (_, at) => at);
    return starts.map((at) => form.toLowerCase().slice(at, at + PART_CHARS));
  });
}

function formsOf(key: string): readonly string[] {
  const bytes = Buffer.from(key);
  // The text before the key decides how its bits fall on characters; the first ones hold bits of both.
  const base64 = [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/.?=+$/, '')
      .slice(before === 0 ? 0 : before + 1),
  );
  const percent = (byte: number): string => `%${byte.toString(16).padStart(2, '0')}`;
  return [
    key,
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    bytes.toString('hex'),
    encodeURIComponent(key),
    key.replace(/[^A-Za-z0-9]/g, (character) => [...Buffer.from(character)].map(percent).join('')),
    [...bytes].map(percent).join(''),
    JSON.stringify(key).slice(1, -1),
  ];
}

function withoutParts(text: string, parts: ReadonlySet<string>): string {
  // Lower case may have another length; such texts are compared as they are.
  const lowered = text.toLowerCase();
  const compared = lowered.length === text.length ? lowered : text;
  let result = '';
  let done = 0;
  for (let at = 0; at + PART_CHARS <= compared.length; at++) {
    if (!parts.has(compared.slice(at, at + PART_CHARS))) continue;
    let end = at + PART_CHARS;
    while (end < compared.length && parts.has(compared.slice(end + 1 - PART_CHARS, end + 1))) end++;
    result += text.slice(done, at) + PLACEHOLDER;
    done = end;
    at = end - 1;
  }
  return result + text.slice(done);
}
