import type { Evidence } from '../../event/event.ts';
import type { RunNode, TurnNode } from '../run-node.ts';
import { cut, cutOrNull, LINE_CHARS, LISTED_NOTICES, LISTED_QUOTES, pageOf, short } from './cut.ts';
import { offset, type RunEntry, type RunIndex, sumUsd } from './index-run.ts';
import type { EvidenceView, NoticeLine, Overview, Page, RunLine, Work } from './page-types.ts';

/** The head of a run. */
export function overview(index: RunIndex): Overview {
  const { document, runList, calls, start } = index;
  const { facts, tree, text, origin, leftOut = null, subModels, limits } = document;
  const { query, ...others } = facts;
  const flat = calls.filter(({ call }) => call.childRunId === undefined);
  return {
    ...{ facts: others, origin, leftOut, subModels, limits },
    query: cut(query, `${tree.runId}/query`),
    answer: cutOrNull(text ?? '', `${tree.runId}/answer`, 3 * LINE_CHARS * 10),
    evidence: tree.evidence === undefined ? null : evidenceView(tree.evidence),
    ...{ backend: tree.backend, isolation: tree.isolation, contexts: tree.contexts },
    startedAt: new Date(start).toISOString(),
    spanMs: spanOf(index),
    counts: {
      runs: runList.length,
      calls: flat.length,
      failedCalls: flat.filter(({ call }) => call.ok === false).length,
      turns: runList.reduce((sum, { node }) => sum + node.turns.length, 0),
    },
    work: workOf(index),
  };
}

function evidenceView({ verdict, citations }: Evidence): EvidenceView {
  return {
    verdict,
    found: citations.filter(({ status }) => status !== 'not-found').length,
    total: citations.length,
    citations: citations.slice(0, LISTED_QUOTES).map(({ document, quote, status }) => ({
      ...{ document: short(document, LINE_CHARS), quote: short(quote, LINE_CHARS), status },
    })),
  };
}

/** The runs of the tree from `from` on, root first, each before its children. */
export function runPage(index: RunIndex, from: number): Page<RunLine> {
  return pageOf(index.runList.length, from, (at) => runLine(index, index.runList[at] as RunEntry));
}

function runLine(index: RunIndex, { node, parent, answer }: RunEntry): RunLine {
  const { runId, end, figures, pending } = node;
  return {
    id: runId,
    parent: parent?.runId ?? null,
    command: parent === null ? null : `${parent.runId}/${parent.command}`,
    ...{ depth: node.depth, model: node.rootModel },
    query: cut(node.query, `${runId}/query`, LINE_CHARS),
    answer: cutOrNull(answer, `${runId}/answer`, LINE_CHARS),
    ...{ outcome: end?.outcome ?? null, stop: end?.stop ?? null, reason: end?.reason ?? null },
    ...{ at: offset(index, node.startedAt), ms: end?.elapsedMs ?? null },
    ...{ turns: node.turns.length, subCalls: figures.subCalls, costUsd: figures.costUsd },
    tokens: figures.inputTokens + figures.outputTokens,
    pending: pending === null ? null : { number: pending.number, at: offset(index, pending.startedAt) },
    besides: node.besides.map(({ purpose, startedAt, durationMs, usage }) => ({
      ...{ purpose, ...usage, at: offset(index, startedAt), ms: durationMs },
    })),
    notices: noticeLines(index, node),
  };
}

/** The first notices of a run, and how many more there are. */
function noticeLines(index: RunIndex, { notices }: RunNode): readonly NoticeLine[] {
  const lines = notices.slice(0, LISTED_NOTICES).map(({ time, turn, level, text }): NoticeLine => {
    return { at: offset(index, time), turn, level, text: short(text, 4 * LINE_CHARS) };
  });
  const [last, more] = [lines.at(-1), notices.length - lines.length];
  if (last === undefined || more === 0) return lines;
  return [...lines, { ...last, level: 'info', text: `${more} more notices are not listed here.` }];
}

/** Milliseconds to the last thing that is known. */
function spanOf(index: RunIndex): number {
  const { tree, facts } = index.document;
  const ends = tree.turns.flatMap((turn) => {
    const at = offset(index, turn.startedAt);
    const commands = turn.commands.map((command) => offset(index, command.startedAt) + (command.durationMs ?? 0));
    return [at + turn.modelMs, at + (turn.durationMs ?? 0), ...commands];
  });
  const now = tree.end === null && facts.status === 'running' ? offset(index, facts.updatedAt) : 0;
  return Math.max(1, tree.end?.elapsedMs ?? 0, facts.elapsedMs ?? 0, now, ...ends);
}

function workOf(index: RunIndex): Work {
  const { turns, besides } = index.document.tree;
  const sums = turns.map((turn) => workOfTurn(index, turn));
  const total = (field: 'modelMs' | 'codeMs' | 'callsMs'): number => sums.reduce((sum, work) => sum + work[field], 0);
  const modelUsd = sumUsd([...turns, ...besides].map(({ usage }) => usage.costUsd));
  const besidesMs = besides.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const all = index.document.facts.costUsd;
  return {
    startMs: offset(index, index.document.tree.startedAt),
    ...{ modelMs: total('modelMs') + besidesMs, codeMs: total('codeMs'), callsMs: total('callsMs'), modelUsd },
    callsUsd: all === null || modelUsd === null ? null : Math.max(0, all - modelUsd),
  };
}

function workOfTurn(index: RunIndex, { modelMs, commands }: TurnNode): Pick<Work, 'modelMs' | 'codeMs' | 'callsMs'> {
  let codeMs = 0;
  let callsMs = 0;
  for (const command of commands) {
    const from = offset(index, command.startedAt);
    const spans = command.calls.map((call) => {
      const at = offset(index, call.startedAt, from);
      return [at, at + (call.durationMs ?? 0)] as const;
    });
    const waiting = Math.min(unionMs(spans), command.durationMs ?? Number.POSITIVE_INFINITY);
    callsMs += waiting;
    codeMs += Math.max(0, (command.durationMs ?? 0) - waiting);
  }
  return { modelMs, codeMs, callsMs };
}

/** Milliseconds in which at least one span is open. */
function unionMs(spans: readonly (readonly [from: number, to: number])[]): number {
  let sum = 0;
  let end = Number.NEGATIVE_INFINITY;
  for (const [from, to] of spans.toSorted(([a], [b]) => a - b)) {
    if (to > end) sum += to - Math.max(from, end);
    end = Math.max(end, to);
  }
  return sum;
}
