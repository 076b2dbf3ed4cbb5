import type {
  JSONObject,
  LanguageModelV4FinishReason,
  LanguageModelV4Usage,
  SharedV4ProviderMetadata,
} from '@ai-sdk/provider';
import { type DoorAnswer, doorAnswer } from '../door/answer.ts';
import type { CompletionResult, ResultBase, Unfinished } from '../engine/result.ts';
import type { Usage } from '../ledger/index.ts';
import type { PreparedCall } from './call.ts';

/** The answer as `ai` gets it: of a typed answer its JSON. */
export function answerOf(result: CompletionResult<unknown>, { request, maxOutputTokens }: PreparedCall): DoorAnswer {
  const { outcome, answer } = result;
  const text = request.output === undefined || answer === undefined ? result.text : JSON.stringify(answer);
  return doorAnswer({ text, outcome }, maxOutputTokens);
}

/** Why it ended, in the words of the AI SDK and in Fathom's own. */
export function finishReason({ finish }: DoorAnswer, { stop }: ResultBase): LanguageModelV4FinishReason {
  return { unified: finish, raw: stop };
}

/** The usage of the whole tree of calls. */
export function usageOf(usage: Usage): LanguageModelV4Usage {
  const { inputTokens, outputTokens, cachedTokens } = usage;
  return {
    inputTokens: {
      total: inputTokens,
      noCache: cachedTokens === undefined ? undefined : inputTokens - cachedTokens,
      cacheRead: cachedTokens,
      cacheWrite: undefined,
    },
    outputTokens: { total: outputTokens, text: undefined, reasoning: undefined },
    raw: asJson(usage),
  };
}

/** Facts of the run, as `providerMetadata.fathom`. */
export function runMetadata(result: CompletionResult<unknown> | Unfinished): SharedV4ProviderMetadata {
  const { runId, outcome, stop, turns, subCalls, elapsedMs, isolation, usage } = result;
  return {
    fathom: {
      runId,
      outcome,
      stop,
      turns,
      subCalls,
      elapsedMs,
      isolation,
      costUsd: usage.costUsd,
      ...('reason' in result && { reason: result.reason }),
      ...(result.route !== undefined && { route: { ...result.route } }),
    },
  };
}

/** Without the fields that are undefined, which JSON does not have. */
function asJson(value: object): JSONObject {
  return JSON.parse(JSON.stringify(value)) as JSONObject;
}
