import { readRunLogs } from '../../resume/run-logs.ts';
import { followRun, type RunRecord, type Store } from '../../store/index.ts';
import { runTree } from '../../view/build-tree.ts';
import { type RunFacts, runFacts } from '../../view/run-facts.ts';
import type { RunNode } from '../../view/run-node.ts';
import { contextWords } from '../context/context-words.ts';
import { EXIT } from '../exit-codes.ts';
import { runIdOf } from '../options/ids.ts';
import { openToLook, runNotFound, type StoreOptions, storeArgument } from '../options/store.ts';
import { type Console, colorsFor } from '../screen/console.ts';
import { compact, counted, duration, money } from '../screen/figures.ts';
import { columnsOf, localTime } from '../screen/layout.ts';
import { inOptionWords } from '../screen/option-words.ts';
import { forTerminal, onOneLine, writeJson } from '../screen/terminal-text.ts';
import { progressFor } from '../watch/show-run.ts';
import { callLines, treeJson } from './call-lines.ts';
import { treeLines } from './tree-lines.ts';

/** The options of `fathom runs show`. */
export interface ShowOptions extends StoreOptions {
  readonly json?: true;
  /** Every sub-call instead of the turns. */
  readonly calls?: true;
  /** Whole prompts and replies of sub-calls. */
  readonly full?: true;
  /** Reports what happens until the run has ended or was paused. */
  readonly follow?: true;
}

/** Shows one run: what was asked and answered, its turns, commands and children. Resolves with the exit code. */
export async function showStoredRun(given: string, options: ShowOptions, console: Console): Promise<number> {
  const { stdout, env } = console;
  await using keeping = openToLook(options.store);
  const { store } = keeping;
  const id = await runIdOf(given, store);
  if (options.follow === true) await follow(id, store, console);
  const record = await store.runs.get(id);
  if (record === undefined) throw runNotFound(id, store);
  const tree = runTree(await readRunLogs(store, id));
  const facts = await runFacts(record, store);
  const full = options.full === true;
  if (options.json === true) {
    writeJson(stdout, { ...facts, text: record.result?.text ?? null, tree: treeJson(tree, full) });
    return EXIT.answered;
  }
  const colors = colorsFor(stdout, env);
  const width = columnsOf(stdout);
  const label = (name: string, text: string): string => `${colors.dim(name.padEnd(10))}${text}`;
  const lines = [
    `${colors.bold(facts.id)}  ${statusWords(facts)}`,
    ...headLines(record, facts, tree).map(([name, text]) => label(name, onOneLine(text, width - 10))),
    ...answerLines(record, label),
    ...nextLines(facts, options).map(([name, text]) => label(name, text)),
    '',
    ...(options.calls === true ? callLines(tree, { colors, width, full }) : treeLines(tree, { colors, width })),
  ];
  stdout.write(`${lines.join('\n')}\n`);
  return EXIT.answered;
}

/** Shows the events of a run as they reach the store, also before a worker has it. */
async function follow(runId: string, store: Store, console: Console): Promise<void> {
  const view = progressFor({}, console);
  try {
    for await (const event of followRun(store, { runId, patient: true })) view.event(event);
  } finally {
    view.end();
  }
}

type Labelled = readonly [name: string, text: string];

function statusWords({ status, outcome, stop }: RunFacts): string {
  if (outcome === null) return status;
  return outcome === status ? `${status} (${stop})` : `${status} · ${outcome} (${stop})`;
}

function headLines({ request }: RunRecord, facts: RunFacts, tree: RunNode): readonly Labelled[] {
  const sub = [...new Set(request.subModels)].filter((model) => model !== request.rootModel);
  const contexts = contextWords(tree.contexts);
  const used = [
    counted(facts.turns, 'turn'),
    counted(facts.subCalls, 'sub-call'),
    `${compact(facts.inputTokens)} tokens in, ${compact(facts.outputTokens)} out`,
    money(facts.costUsd),
  ];
  const took = facts.elapsedMs === null ? '' : ` · took ${duration(facts.elapsedMs)}`;
  return [
    ['asked', facts.query],
    ...(contexts === '' ? [] : [['context', contexts] as const]),
    ['models', `${request.rootModel}${sub.length === 0 ? '' : `, sub-calls ${sub.join(', ')}`}`],
    [
      'REPL',
      request.route?.chosen === 'direct' && tree.isolation === ''
        ? 'none'
        : `${request.backend}${tree.isolation === '' ? '' : `, isolation ${tree.isolation}`}`,
    ],
    ['when', `${localTime(facts.createdAt)}${took}`],
    ['used', used.join(' · ')],
    ...(facts.process === undefined
      ? []
      : [['works', `process ${facts.process.pid} on ${facts.process.host}`] as const]),
    ...(facts.sessionId === undefined ? [] : [['session', facts.sessionId] as const]),
    ...(facts.reason === undefined ? [] : [['because', inOptionWords(facts.reason)] as const]),
  ];
}

/** Lines of an answer that are shown; `--json` has all of it. */
const ANSWER_LINES = 20;

function answerLines({ result }: RunRecord, label: (name: string, text: string) => string): readonly string[] {
  if (result === undefined || result.text === '') return [];
  const lines = forTerminal(result.text).trimEnd().split('\n');
  const shown = lines.slice(0, ANSWER_LINES);
  const more = lines.length - shown.length;
  return [
    ...shown.map((text, index) => label(index === 0 ? 'answer' : '', text)),
    ...(more > 0 ? [label('', `… ${counted(more, 'line')} more: --json has them`)] : []),
  ];
}

function nextLines({ id, status, sessionId }: RunFacts, { store }: ShowOptions): readonly Labelled[] {
  if (status !== 'interrupted' && status !== 'paused') return [];
  if (sessionId !== undefined) return [['next', 'it belongs to a session: ask again there']];
  return [['next', `fathom resume ${id}${storeArgument(store)}`]];
}
