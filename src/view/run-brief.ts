import type { RunRecord, RunStatus, Store } from '../store/index.ts';
import { short } from './pages/cut.ts';
import type { BriefPage, BriefQuery, RunBrief } from './pages/page-types.ts';
import type { RunDocument } from './run-document.ts';
import { type RunFacts, runFacts } from './run-facts.ts';

/** Which runs to list, and of which status. */
export type StatusQuery = BriefQuery & { readonly status?: RunStatus };

/** Runs in one page of a list. */
export const PAGE_BRIEFS = 50;
/** Characters of a question or answer in a list. */
const BRIEF_CHARS = 400;

/** One page of a list of runs, newest first. Figures of runs that have not ended are read from their events. */
export async function briefPage(
  records: readonly RunRecord[],
  store: Store,
  { text, before }: BriefQuery,
): Promise<BriefPage> {
  const words = text.trim().toLowerCase();
  const matching = records
    .slice(firstAfter(records, before))
    .filter(({ id, request, result }) => hasWords([id, request.query, result?.text ?? ''], words));
  const items: RunBrief[] = [];
  for (const record of matching.slice(0, PAGE_BRIEFS)) {
    items.push(briefOf(await runFacts(record, store), record.result?.text ?? ''));
  }
  return { items, more: matching.length > PAGE_BRIEFS };
}

/** The list of the one run of a file. */
export function documentBriefs({ facts, text: answer }: RunDocument, { text, status, before }: StatusQuery): BriefPage {
  const isListed = before === undefined && (status === undefined || status === facts.status);
  const words = text.trim().toLowerCase();
  const isWanted = isListed && hasWords([facts.id, facts.query, answer ?? ''], words);
  return { items: isWanted ? [briefOf(facts, answer ?? '')] : [], more: false };
}

/** The place behind a run. One that was deleted meanwhile still divides older from newer runs: ids begin with the time. */
function firstAfter(records: readonly RunRecord[], before: string | undefined): number {
  if (before === undefined) return 0;
  const at = records.findIndex(({ id }) => id === before);
  if (at >= 0) return at + 1;
  const older = records.findIndex(({ id }) => id < before);
  return older < 0 ? records.length : older;
}

function hasWords(texts: readonly string[], words: string): boolean {
  return words === '' || texts.some((text) => text.toLowerCase().includes(words));
}

function briefOf({ inputTokens, outputTokens, query, ...facts }: RunFacts, answer: string): RunBrief {
  const { id, status, outcome, stop, createdAt, turns, subCalls, costUsd, elapsedMs, model } = facts;
  return {
    ...{ id, status, outcome, stop, createdAt, turns, subCalls, costUsd, elapsedMs, model },
    ...{ tokens: inputTokens + outputTokens, query: short(query, BRIEF_CHARS), answer: short(answer, BRIEF_CHARS) },
  };
}
