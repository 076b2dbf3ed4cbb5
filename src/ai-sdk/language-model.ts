import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4Content } from '@ai-sdk/provider';
import { defined } from '../defined.ts';
import type { AskedRequest, DoorMessage } from '../door/messages.ts';
import { narrate } from '../door/narrate.ts';
import { checkOptionNames, type OptionNames } from '../option-names.ts';
import type { Rlm } from '../rlm.ts';
import type { CompletionRequest, CompletionRun } from '../run/run-handle.ts';
import { abortError, apiCallError } from './api-error.ts';
import { type CallDefaults, prepareCall } from './call.ts';
import { answerOf, finishReason, runMetadata, usageOf } from './response.ts';
import { streamOf } from './stream.ts';

/** Options of {@link languageModel}. All but the first three are fields of each completion's request. */
export interface LanguageModelOptions
  extends Pick<CompletionRequest, 'limits' | 'tools' | 'model' | 'subModel' | 'modelSettings' | 'mode' | 'repl'> {
  /** The name of the model in results and telemetry. Default: `rlm`. */
  readonly modelId?: string;
  /** Characters up to which the last user message is the query; a longer one is the context. Default 8 000. */
  readonly queryChars?: number;
  /** Makes query, context and instructions of the messages. Default: `requestFromMessages`, the rule of all doors. */
  readonly toRequest?: (messages: readonly DoorMessage[]) => AskedRequest;
}

const OPTION_NAMES: OptionNames<LanguageModelOptions> = {
  ...{ modelId: true, queryChars: true, toRequest: true },
  ...{ limits: true, tools: true, model: true, subModel: true, modelSettings: true, mode: true, repl: true },
};

/**
 * An `Rlm` as a language model of the AI SDK, for `generateText`, `streamText` and whatever else takes a model. Each call is
 * one completion.
 *
 * The last user message is the query. A long one, files and earlier messages are the context. The turns of the run are
 * reasoning; the text is the answer, once it is accepted. A run that fails rejects with an `APICallError`, as the error table
 * says; an aborted call, and a stream that is cancelled, cancel their run.
 *
 * @throws RlmError `invalid-option` for an option that does not exist
 */
export function languageModel(rlm: Pick<Rlm, 'completion'>, options: LanguageModelOptions = {}): LanguageModelV4 {
  checkOptionNames('languageModel', options, OPTION_NAMES);
  const { modelId = 'rlm', queryChars, toRequest, ...completion } = options;
  const defaults: CallDefaults = { completion, ...defined({ queryChars, toRequest }) };
  return {
    specificationVersion: 'v4',
    provider: 'fathom',
    modelId,
    // `ai` downloads every file.
    supportedUrls: {},
    doGenerate: async (call) => await generate(rlm, call, { defaults, modelId }),
    doStream: async (call) => await stream(rlm, call, { defaults, modelId }),
  };
}

interface ModelParts {
  readonly defaults: CallDefaults;
  readonly modelId: string;
}

async function generate(rlm: Pick<Rlm, 'completion'>, options: LanguageModelV4CallOptions, model: ModelParts) {
  const errorOf = errorsFor(options);
  try {
    const call = prepareCall(options, model.defaults);
    const timestamp = new Date();
    const run = rlm.completion(call.request);
    const content = await reasoningOf(run);
    const result = await run;
    const answer = answerOf(result, call);
    if (answer.text !== '') content.push({ type: 'text', text: answer.text });
    return {
      content,
      finishReason: finishReason(answer, result),
      usage: usageOf(result.usage),
      providerMetadata: runMetadata(result),
      response: { id: result.runId, modelId: model.modelId, timestamp },
      warnings: call.warnings,
    };
  } catch (error) {
    throw errorOf(error);
  }
}

/** Each turn is a reasoning part of its own. */
async function reasoningOf(run: CompletionRun<unknown>): Promise<LanguageModelV4Content[]> {
  const turns = new Map<number, string>();
  for await (const { turn, text } of narrate(run)) turns.set(turn, (turns.get(turn) ?? '') + text);
  return [...turns.values()].map((text) => ({ type: 'reasoning', text }));
}

async function stream(rlm: Pick<Rlm, 'completion'>, options: LanguageModelV4CallOptions, model: ModelParts) {
  const errorOf = errorsFor(options);
  try {
    const call = prepareCall(options, model.defaults);
    const run = rlm.completion(call.request);
    await admitted(run);
    return { stream: streamOf({ run, call, modelId: model.modelId, errorOf }) };
  } catch (error) {
    throw errorOf(error);
  }
}

/**
 * Resolves once the run waits or has begun. A request that is refused rejects here, before there is a stream: only then does
 * `ai` try again.
 */
async function admitted(run: CompletionRun<unknown>): Promise<void> {
  for await (const { type } of run) {
    if (type !== 'run.completed') return;
  }
  await run;
}

function errorsFor({ abortSignal }: LanguageModelV4CallOptions): (error: unknown) => unknown {
  return (error) => (abortSignal?.aborted === true ? abortError(abortSignal, error) : apiCallError(error));
}
