import type { RunRecord, Store } from '../store/index.ts';
import { runFacts } from './run-facts.ts';

/** A run in a list: bounded, whatever it was asked and answered. */
export interface RunBrief {
  readonly id: string;
  readonly status: string;
  readonly outcome: string | null;
  readonly stop: string | null;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly turns: number;
  readonly subCalls: number;
  /** In and out. */
  readonly tokens: number;
  /** US dollars; null when a price is unknown. */
  readonly costUsd: number | null;
  /** Null while it has not ended. */
  readonly elapsedMs: number | null;
  readonly model: string;
  /** The beginning of the question. */
  readonly query: string;
  /** The beginning of the answer; empty without one. */
  readonly answer: string;
}

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
