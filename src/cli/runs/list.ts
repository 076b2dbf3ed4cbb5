import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunFilter, RunStatus } from '../../store/index.ts';
import type { Console } from '../console.ts';
import { EXIT } from '../exit-codes.ts';
import { money } from '../figures.ts';
import { DEFAULT_STORE, openToLook, type StoreOptions } from '../store.ts';
import { columnsOf, localTime, table } from '../table.ts';
import { type RunFacts, runFacts } from './run-facts.ts';

/** The options of `fathom runs`. */
export interface ListOptions extends StoreOptions {
  readonly status?: readonly RunStatus[];
  /** ISO 8601. */
  readonly since?: string;
  readonly text?: string;
  readonly limit: number;
  readonly json?: true;
}

/** Lists runs, newest first. Resolves with the exit code. */
export async function listRuns(options: ListOptions, { stdout, stderr }: Console): Promise<number> {
  const facts = await factsOf(options);
  if (options.json === true) {
    stdout.write(`${JSON.stringify(facts)}\n`);
  } else if (facts.length === 0) {
    stderr.write('There are no such runs.\n');
  } else {
    const lines = table([HEAD, ...facts.map(rowOf)], columnsOf(stdout));
    stdout.write(`${lines.join('\n')}\n`);
  }
  return EXIT.answered;
}

async function factsOf(options: ListOptions): Promise<readonly RunFacts[]> {
  // Where nothing was ever asked there is nothing to list; a folder that was named has to be there.
  if (options.store === DEFAULT_STORE && !existsSync(join(DEFAULT_STORE, 'store.sqlite'))) return [];
  await using keeping = openToLook(options.store);
  const { store } = keeping;
  const { status, since, text, limit } = options;
  const filter: RunFilter = {
    rootsOnly: true,
    limit,
    ...(status !== undefined && { status }),
    ...(since !== undefined && { since }),
    ...(text !== undefined && { text }),
  };
  const facts: RunFacts[] = [];
  for (const run of await store.runs.list(filter)) facts.push(await runFacts(run, store));
  return facts;
}

const HEAD = ['RUN', 'WHEN', 'STATUS', 'OUTCOME', 'TURNS', 'SUB-CALLS', 'COST', 'QUESTION'] as const;

function rowOf(run: RunFacts): readonly string[] {
  return [
    run.id,
    localTime(run.createdAt),
    run.status,
    run.outcome === null ? '-' : `${run.outcome} (${run.stop})`,
    String(run.turns),
    String(run.subCalls),
    run.costUsd === null ? '?' : money(run.costUsd),
    run.query,
  ];
}
