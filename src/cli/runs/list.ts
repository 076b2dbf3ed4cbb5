import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunFilter, RunStatus } from '../../store/index.ts';
import { type RunFacts, runFacts } from '../../view/run-facts.ts';
import { EXIT } from '../exit-codes.ts';
import { DEFAULT_STORE, openToLook, type StoreOptions } from '../options/store.ts';
import type { Console } from '../screen/console.ts';
import { money } from '../screen/figures.ts';
import { columnsOf, shortTime, table } from '../screen/layout.ts';
import { onOneLine, writeJson } from '../screen/terminal-text.ts';

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
    writeJson(stdout, facts);
  } else if (facts.length === 0) {
    stderr.write('There are no such runs.\n');
  } else {
    stdout.write(`${linesOf(facts, columnsOf(stdout)).join('\n')}\n`);
  }
  return EXIT.answered;
}

async function factsOf(options: ListOptions): Promise<readonly RunFacts[]> {
  // The usual folder may not exist yet; a folder named by --store must exist.
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

const HEAD = ['RUN', 'WHEN', 'STATUS', 'TURNS', 'SUB-CALLS', 'COST', 'QUESTION'] as const;

/** Longest name of a machine. */
const HOST_CHARS = 40;

/** Columns from which on a question has a place beside its run; else it has a line below. */
const WIDE_COLUMNS = 120;

function linesOf(facts: readonly RunFacts[], width: number): readonly string[] {
  if (width >= WIDE_COLUMNS) {
    return table([HEAD, ...facts.map((run) => [...rowOf(run, `${statusOf(run)}${causeOf(run)}`), run.query])], width);
  }
  const [head = '', ...lines] = table([HEAD.slice(0, -1), ...facts.map((run) => rowOf(run, statusOf(run)))], width);
  const below = facts.map((run) => onOneLine(`${causeOf(run)} ${run.query}`, width - 2));
  return [head, ...lines.flatMap((line, index) => [line, `  ${below[index] ?? ''}`])];
}

function rowOf(run: RunFacts, status: string): readonly string[] {
  return [
    run.id,
    shortTime(run.createdAt),
    status,
    String(run.turns),
    String(run.subCalls),
    run.costUsd === null ? '?' : money(run.costUsd),
  ];
}

/** The outcome of a completed run, else its status. */
function statusOf({ status, outcome, stop }: RunFacts): string {
  return stop === null || status !== 'completed' ? status : (outcome ?? status);
}

/** Why a run did not converge, or which process of which machine works on it: beside its status if it fits, else before its question. */
function causeOf({ outcome, stop, process: owner }: RunFacts): string {
  if (owner !== undefined) return ` (${onOneLine(owner.host, HOST_CHARS)} ${owner.pid})`;
  return outcome === 'converged' || stop === null ? '' : ` (${stop})`;
}
