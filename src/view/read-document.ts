import { readRunLogs } from '../resume/run-logs.ts';
import type { RunRecord, Store } from '../store/index.ts';
import { runTree } from './build-tree.ts';
import type { RunDocument } from './run-document.ts';
import { runFactsOf } from './run-facts.ts';

/** Reads a run with its whole tree, also while it runs. @throws RlmError `store-failure` */
export async function readDocument(record: RunRecord, store: Store): Promise<RunDocument> {
  const log = await readRunLogs(store, record.id);
  const { request, result } = record;
  const limits = Object.entries(request.limits).filter(([, value]) => Number.isFinite(value));
  const tree = runTree(log);
  return {
    ...{ format: 'fathom-run', version: 1, origin: 'fathom' },
    facts: runFactsOf(record, tree.figures),
    text: result?.text ?? null,
    subModels: [...new Set(request.subModels)],
    limits: Object.fromEntries(limits) as Record<string, number>,
    // Before its first event a run has only its record.
    tree: tree.query === '' ? { ...tree, query: request.query, rootModel: request.rootModel } : tree,
  };
}
