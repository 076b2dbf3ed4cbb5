import type { RunEvent } from './event.ts';

/**
 * Fields that say what happened without saying what was asked, read or answered: numbers, names of things the caller
 * chose, codes from closed sets. Everything else goes: a field that is added later is content until it is listed here.
 */
const METADATA: ReadonlySet<string> = new Set([
  ...['v', 'runId', 'parentRunId', 'traceId', 'seq', 'time', 'type', 'sessionId', 'callId', 'commandId', 'childRunId'],
  ...['id', 'turn', 'maxTurns', 'turns', 'depth', 'fraction', 'status', 'attempt', 'count', 'backend', 'isolation'],
  ...['outcome', 'stop', 'ok', 'timedOut', 'code', 'kind', 'purpose', 'stream', 'finishReason', 'state', 'expiresAt'],
  ...['rootModel', 'subCallModel', 'model', 'using', 'resource', 'limit', 'value', 'spent', 'bytes'],
  ...['inputTokens', 'outputTokens', 'cachedTokens', 'costUsd', 'estimated', 'possiblyBilled', 'compressionRatio'],
  ...['elapsedMs', 'durationMs', 'subCalls', 'failedSubCalls', 'repeated', 'textChars', 'promptChars', 'recordedSteps'],
  ...[
    'chosen',
    'tokens',
    'window',
    'cause',
    'verdict',
    'decision',
    'taken',
    'tokensBefore',
    'tokensAfter',
    'summaryChars',
    'imagesDropped',
  ],
  ...['outputs', 'turnsSummarised', 'turnsCut', 'summariesCut', 'turnsShortened'],
]);

/** Of these objects a part is metadata. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  contexts: ['type', 'size'],
  citations: ['status', 'start', 'end'],
  command: ['type', 'form'],
  error: ['type'],
  previous: ['outcome', 'stop'],
};

/** An event without content: texts are replaced by their length in characters, as `<field>Chars`. */
export function redactEvent(event: RunEvent): Readonly<Record<string, unknown>> {
  const redacted: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(event)) {
    const part = PARTS[field];
    if (METADATA.has(field)) redacted[field] = value;
    else if (part !== undefined && typeof value === 'object') redacted[field] = pick(value, part);
    else if (typeof value === 'string') redacted[`${field}Chars`] = value.length;
  }
  return redacted;
}

function pick(value: unknown, fields: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => pick(item, fields));
  const entries = Object.entries(value ?? {});
  return Object.fromEntries(entries.filter(([field]) => fields.includes(field)));
}
