/**
 * The routes of the page, and the parts in which it reads runs. Their fields are named as in events.
 *
 * @module
 */
import type { Schema } from '@cfworker/json-schema';
import { BOOLEAN, COUNT, NUMBER, nullable, record, ref, TEXT } from './response-schemas.ts';
import type { Route } from './route.ts';

const RUN = '/v1/runs/{id}';

/** Routes of the page. */
export const PAGE_ROUTES: readonly Route[] = [
  { method: 'get', path: '/', summary: 'The page that shows runs', answer: 'text/html', open: true },
  { method: 'get', path: '/page/app.js', summary: 'Its script', answer: 'text/javascript', open: true },
  { method: 'get', path: '/page/app.css', summary: 'Its style', answer: 'text/css', open: true },
  {
    ...{ method: 'post', path: '/page/session', summary: 'Open the session of a browser with a key' },
    ...{ body: 'PageSessionRequest', answer: 'PageSession', open: true },
  },
  { method: 'get', path: '/page/session', summary: 'Whether the browser has a session', answer: 'PageSession' },
  {
    ...{ method: 'get', path: '/v1/run-briefs', summary: 'Runs in short, newest first, 50 a page' },
    ...{ answer: 'RunBriefs', query: ['text', 'status', 'before'] },
  },
  {
    method: 'get',
    path: `${RUN}/overview`,
    summary: 'The head of a run: facts, answer, shares',
    answer: 'RunOverview',
  },
  { method: 'get', path: `${RUN}/tree`, summary: 'Its run and child runs', answer: 'RunTree', query: ['from'] },
  {
    ...{ method: 'get', path: `${RUN}/turns`, summary: 'Turns of one run of the tree' },
    ...{ answer: 'TurnPage', query: ['of', 'from'] },
  },
  { method: 'get', path: `${RUN}/calls`, summary: 'Every sub-call of the tree', answer: 'CallPage', query: ['from'] },
  { method: 'get', path: `${RUN}/text`, summary: 'A whole text by its handle', answer: 'text/plain', query: ['ref'] },
  { method: 'get', path: `${RUN}/search`, summary: 'Words in every text', answer: 'RunMatches', query: ['q'] },
];

const CUT = ref('CutText');
const OBJECT: Schema = { type: 'object' };
const page = (items: Schema): Schema => record({ items: { type: 'array', items }, next: nullable(COUNT) });
const USD = nullable(NUMBER);

const BRIEF = record({
  ...{ id: TEXT, status: TEXT, outcome: nullable(TEXT), stop: nullable(TEXT), createdAt: TEXT, turns: COUNT },
  ...{
    subCalls: COUNT,
    tokens: COUNT,
    costUsd: USD,
    elapsedMs: nullable(NUMBER),
    model: TEXT,
    query: TEXT,
    answer: TEXT,
  },
});

const RUN_LINE = record({
  ...{ id: TEXT, parent: nullable(TEXT), command: nullable(TEXT), depth: COUNT, query: CUT, answer: nullable(CUT) },
  ...{ model: TEXT, outcome: nullable(TEXT), stop: nullable(TEXT), reason: nullable(TEXT), at: NUMBER },
  ...{ ms: nullable(NUMBER), turns: COUNT, subCalls: COUNT, tokens: COUNT, costUsd: USD },
  pending: nullable(record({ number: COUNT, at: NUMBER })),
  besides: {
    type: 'array',
    items: record({
      ...{ purpose: { enum: ['direct', 'final', 'summary'] }, at: NUMBER, ms: NUMBER, inputTokens: COUNT },
      ...{ outputTokens: COUNT, costUsd: USD, attempts: COUNT },
    }),
  },
  notices: { type: 'array', items: record({ at: NUMBER, turn: COUNT, level: TEXT, text: TEXT }) },
});

const TURN = record({
  ...{ key: TEXT, number: COUNT, at: NUMBER, modelMs: NUMBER, ms: nullable(NUMBER), model: TEXT, finishReason: TEXT },
  usage: record({ inputTokens: COUNT, outputTokens: COUNT, costUsd: USD, attempts: COUNT }),
  ...{ callsUsd: USD, reasoning: nullable(CUT), reply: CUT, parts: { type: 'array', items: OBJECT } },
  rejected: { type: 'array', items: record({ code: TEXT, message: TEXT }) },
  ...{ feedback: nullable(CUT), variables: nullable(TEXT) },
});

const CALL = record({
  ...{ key: TEXT, depth: COUNT, kind: { enum: ['llm', 'rlm'] }, model: TEXT, ok: nullable(BOOLEAN) },
  ...{ code: nullable(TEXT), prompt: TEXT, reply: TEXT, promptChars: COUNT, replyChars: COUNT, inputTokens: COUNT },
  ...{ outputTokens: COUNT, costUsd: USD, at: NUMBER, ms: nullable(NUMBER), attempts: COUNT, child: nullable(TEXT) },
});

/** Schemas of the routes of the page. */
export const PAGE_SCHEMAS: Readonly<Record<string, Schema>> = {
  PageSession: record({ status: TEXT }),
  CutText: record({ text: TEXT, chars: COUNT, ref: TEXT }),
  RunBriefs: record({ items: { type: 'array', items: BRIEF }, more: BOOLEAN }),
  RunOverview: record({
    ...{ facts: OBJECT, origin: TEXT, leftOut: nullable(TEXT), query: CUT, answer: nullable(CUT) },
    evidence: nullable(
      record({
        ...{ verdict: { enum: ['verified', 'partly', 'unverified'] }, found: COUNT, total: COUNT },
        citations: { type: 'array', items: record({ document: TEXT, quote: TEXT, status: TEXT }) },
      }),
    ),
    ...{ subModels: { type: 'array', items: TEXT }, limits: OBJECT, backend: TEXT, isolation: TEXT },
    ...{ contexts: { type: 'array', items: OBJECT }, startedAt: TEXT, spanMs: NUMBER },
    counts: record({ runs: COUNT, calls: COUNT, failedCalls: COUNT, turns: COUNT }),
    work: record({ startMs: NUMBER, modelMs: NUMBER, codeMs: NUMBER, callsMs: NUMBER, modelUsd: USD, callsUsd: USD }),
  }),
  ...{ RunTree: page(RUN_LINE), TurnPage: page(TURN), CallPage: page(CALL) },
  RunMatches: record({
    items: {
      type: 'array',
      items: record({ key: TEXT, ref: TEXT, field: TEXT, before: TEXT, hit: TEXT, after: TEXT }),
    },
    more: BOOLEAN,
  }),
};
