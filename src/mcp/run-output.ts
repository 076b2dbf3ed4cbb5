import { z } from 'zod';
import type { CompletionResult, Unfinished } from '../engine/result.ts';
import type { RunRecord } from '../store/index.ts';
import type { ClientRun } from './client-run.ts';
import { LISTED_QUESTION_CHARS, type McpLimits } from './limits.ts';
import { pageOf } from './pages.ts';
import type { ToolOutput } from './tool.ts';

/** A run without its answer. */
export const RUN_FACTS: z.ZodRawShape = {
  run_id: z.string(),
  status: z.enum(['queued', 'running', 'paused', 'interrupted', 'completed', 'failed', 'aborted']),
  question: z.string().optional(),
  turn: z.number().optional().describe('of a run that is running, from 1'),
  max_turns: z.number().optional(),
  doing: z.string().optional().describe('what the run does now'),
  elapsed_s: z.number().optional(),
  outcome: z
    .enum(['converged', 'exhausted', 'failed', 'aborted'])
    .optional()
    .describe('converged: a final answer; exhausted: a limit ended the run, and the answer is the best there was'),
  reason: z.string().optional().describe('why it is not converged'),
  turns: z.number().optional(),
  sub_calls: z.number().optional().describe('model calls made by the code'),
  cost_usd: z.number().nullable().optional().describe('null: the price is unknown'),
};

/** A run with a page of its answer. */
export const ANSWER: z.ZodRawShape = {
  ...RUN_FACTS,
  answer: z.string().optional().describe('the answer, or one page of it'),
  answer_chars: z.number().optional().describe('characters of the whole answer'),
  page: z.number().optional(),
  pages: z.number().optional().describe('more than 1: read the others with result'),
};

/** A run that this process works on, or has just ended. */
export function activeFacts({ id, question, position, startedAt }: ClientRun): Readonly<Record<string, unknown>> {
  return {
    run_id: id,
    status: 'running',
    question: question.slice(0, LISTED_QUESTION_CHARS),
    turn: position.turn,
    max_turns: position.maxTurns,
    doing: position.status,
    elapsed_s: seconds(Date.now() - startedAt),
  };
}

/** A run of the store. */
export function recordFacts({ id, status, request, result }: RunRecord): Readonly<Record<string, unknown>> {
  return {
    run_id: id,
    status,
    question: request.query.slice(0, LISTED_QUESTION_CHARS),
    ...(result !== undefined && {
      outcome: result.outcome,
      ...(result.reason !== undefined && { reason: result.reason }),
      turns: result.turns,
      sub_calls: result.subCalls,
      cost_usd: result.costUsd,
      elapsed_s: seconds(result.elapsedMs),
    }),
  };
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

/** A run that has just ended, also one that failed, and its text. */
export function endFacts(end: CompletionResult<unknown> | Unfinished): {
  readonly facts: Readonly<Record<string, unknown>>;
  readonly text: string;
} {
  const { runId, outcome, turns, subCalls, usage, elapsedMs, text } = end;
  const facts = {
    run_id: runId,
    status: STATUS_OF[outcome],
    outcome,
    turns,
    sub_calls: subCalls,
    cost_usd: usage.costUsd,
    elapsed_s: seconds(elapsedMs),
    ...('reason' in end && { reason: end.reason }),
  };
  return { facts, text };
}

const STATUS_OF = { converged: 'completed', exhausted: 'completed', failed: 'failed', aborted: 'aborted' } as const;

/**
 * An answer within one result. Without a page, a long one is its beginning, and where the rest is.
 *
 * @throws RlmError `invalid-option` for a page that it does not have
 */
export function answerOutput(request: {
  readonly facts: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly page: number | undefined;
  readonly limits: McpLimits;
}): ToolOutput {
  const { facts, text, page, limits } = request;
  const { pages } = pageOf(text, 1, limits.pageTokens);
  const shown =
    page === undefined && pages > 1
      ? pageOf(text, 1, limits.summaryTokens).text
      : pageOf(text, page ?? 1, limits.pageTokens).text;
  const data = {
    ...facts,
    answer: shown,
    answer_chars: text.length,
    pages,
    ...((page !== undefined || pages === 1) && { page: page ?? 1 }),
  };
  return { text: `${shown}\n\n[${footer({ ...facts, text, page, pages })}]`, data };
}

function footer(run: Readonly<Record<string, unknown>>): string {
  const { run_id, outcome, status, reason, turns, cost_usd, page, pages, text } = run;
  const words = [`run ${run_id}: ${outcome ?? status}${reason === undefined ? '' : ` (${reason})`}, ${turns} turns`];
  if (typeof cost_usd === 'number') words.push(`$${cost_usd.toFixed(4)}`);
  if (pages === 1) return words.join(', ');
  const all = `${String(text).length} characters in ${pages} pages`;
  const where = page === undefined ? `this is the beginning of ${all}` : `page ${page} of ${all}`;
  return `${words.join(', ')}; ${where}; result {"run_id": "${run_id}", "page": N} reads a page`;
}
