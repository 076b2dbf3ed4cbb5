import {
  COMPACTION_MARGIN_TOKENS,
  SUMMARY_LEAST_OUTPUT_CHARS,
  SUMMARY_OUTPUT_CHARS,
  SUMMARY_TOKENS,
} from '../compact/limits.ts';
import type { ConversationTurn } from '../engine/conversation.ts';
import type { Run } from '../engine/run.ts';
import { RlmError } from '../errors.ts';
import type { Step } from '../journal/index.ts';
import { textWithin } from '../model/estimate-tokens.ts';
import { type ChatMessage, estimateInput, type Model } from '../model/index.ts';
import { summaryRequest } from '../prompt/compacted-turns.ts';
import { splitReasoning } from '../protocol/index.ts';
import { callModel } from '../subcall/call-model.ts';

/** Characters of the query in the request. */
const QUERY_CHARS = 4_096;
/** Words asked for: about two thirds of the tokens. */
const SUMMARY_WORDS = 600;

/**
 * A summary of old turns by the sub-model, paid by the run like every other call.
 *
 * @throws ModelError, BudgetError, RlmError where the model gave no text
 */
export async function summariseTurns(
  turns: readonly ConversationTurn[],
  { run, step, window }: { readonly run: Run; readonly step: Step; readonly window: number | null },
): Promise<string> {
  const depth = run.depth + 1;
  const model = run.models.inUse(run.models.at(depth));
  const maxOutputTokens = run.limits.maxSubCallOutputTokens;
  const room = roomOf(model, window, maxOutputTokens);
  const { text } = await callModel(
    {
      model,
      messages: requestWithin(turns, { query: run.query, model, room }),
      maxOutputTokens,
      purpose: 'summary',
      depth,
      signal: run.stop.workSignal,
      account: step.account(run.ledger.account({ kind: 'root', depth })),
    },
    run,
  );
  const summary = splitReasoning(text).text.trim();
  if (summary === '') throw new RlmError({ code: 'model-failure', message: `${model.id} gave no summary.` });
  return textWithin(summary, SUMMARY_TOKENS);
}

/** Tokens for the request. A model whose window is unknown is taken to have that of the root. */
function roomOf({ contextTokens }: Model, window: number | null, maxOutputTokens: number): number {
  const all = contextTokens ?? window;
  if (all === null) return Number.POSITIVE_INFINITY;
  return Math.max(1, all - Math.min(maxOutputTokens, all / 4) - COMPACTION_MARGIN_TOKENS);
}

function requestWithin(
  turns: readonly ConversationTurn[],
  { query, model, room }: { readonly query: string; readonly model: Model; readonly room: number },
): readonly ChatMessage[] {
  const request = { query: query.slice(0, QUERY_CHARS).toWellFormed(), turns, maxWords: SUMMARY_WORDS };
  for (let outputChars = SUMMARY_OUTPUT_CHARS; ; outputChars /= 2) {
    const messages: readonly ChatMessage[] = [{ role: 'user', content: summaryRequest({ ...request, outputChars }) }];
    if (estimateInput(model, messages) <= room) return messages;
    if (outputChars > SUMMARY_LEAST_OUTPUT_CHARS) continue;
    return [{ role: 'user', content: textWithin(summaryRequest({ ...request, outputChars }), room) }];
  }
}
