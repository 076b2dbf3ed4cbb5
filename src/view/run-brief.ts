import type { RunRecord, Store } from '../store/index.ts';
import type { RunBrief } from './pages/page-types.ts';
import { runFacts } from './run-facts.ts';

/** Which runs to list. */
export interface BriefQuery {
  /** Part of the id, question or answer, upper and lower case alike; empty: all. */
  readonly text: string;
  /** Only runs after this one, which are older. */
  readonly before?: string;
}

/** Runs in one page of a list. */
const PAGE_BRIEFS = 50;
/** Characters of a question or answer in a list. */
const BRIEF_CHARS = 400;

/** One page of runs, and whether there are more. */
export interface BriefPage {
  readonly items: readonly RunBrief[];
  readonly more: boolean;
}

/** One page of a list of runs, newest first. Figures of runs that have not ended are read from their events. */
export async function briefPage(
  records: readonly RunRecord[],
  store: Store,
  { text, before }: BriefQuery,
): Promise<BriefPage> {
  const words = text.trim().toLowerCase();
  const from = before === undefined ? 0 : records.findIndex(({ id }) => id === before) + 1;
  const matching = records.slice(from).filter((record) => words === '' || hasWords(record, words));
  const items: RunBrief[] = [];
  for (const record of matching.slice(0, PAGE_BRIEFS)) items.push(await runBrief(record, store));
  return { items, more: matching.length > PAGE_BRIEFS };
}

function hasWords({ id, request, result }: RunRecord, words: string): boolean {
  return [id, request.query, result?.text ?? ''].some((text) => text.toLowerCase().includes(words));
}

async function runBrief(record: RunRecord, store: Store): Promise<RunBrief> {
  const { inputTokens, outputTokens, query, ...facts } = await runFacts(record, store);
  const { id, status, outcome, stop, createdAt, turns, subCalls, costUsd, elapsedMs, model } = facts;
  return {
    ...{ id, status, outcome, stop, createdAt, turns, subCalls, costUsd, elapsedMs, model },
    tokens: inputTokens + outputTokens,
    query: beginning(query),
    answer: beginning(record.result?.text ?? ''),
  };
}

function beginning(text: string): string {
  return text.length <= BRIEF_CHARS ? text : `${text.slice(0, BRIEF_CHARS - 1).toWellFormed()}…`;
}
