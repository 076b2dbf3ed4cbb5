import { type LanguageModelV4CallOptions, type SharedV4Warning, UnsupportedFunctionalityError } from '@ai-sdk/provider';
import { defined } from '../defined.ts';
import { withAnswerBound } from '../door/answer.ts';
import { type AskedRequest, type DoorMessage, requestFromMessages } from '../door/messages.ts';
import {
  checkMaxTokens,
  ignoredSettings,
  modelSettings,
  refusedParameter,
  withRootSettings,
} from '../door/parameters.ts';
import type { CompletionRequest } from '../run/run-handle.ts';
import { jsonSchema } from '../schema/json-schema-answer.ts';
import { doorMessages } from './prompt.ts';

/** The common part of all completions of one language model. */
export interface CallDefaults {
  readonly queryChars?: number;
  readonly toRequest?: (messages: readonly DoorMessage[]) => AskedRequest;
  /** Fields of each completion's request. */
  readonly completion: Partial<CompletionRequest>;
}

/** A call of the AI SDK as a completion. */
export interface PreparedCall {
  readonly request: CompletionRequest<unknown>;
  readonly warnings: SharedV4Warning[];
  /** Of the answer. */
  readonly maxOutputTokens: number | undefined;
}

/**
 * @throws RlmError for messages or settings that no run can be made of
 * @throws UnsupportedFunctionalityError where the call must use one of the caller's tools
 */
export function prepareCall(options: LanguageModelV4CallOptions, defaults: CallDefaults): PreparedCall {
  checkTools(options);
  const { maxOutputTokens, abortSignal, temperature } = options;
  checkMaxTokens('maxOutputTokens', maxOutputTokens);
  const { toRequest = (messages) => requestFromMessages(messages, defined({ queryChars: defaults.queryChars })) } =
    defaults;
  const asked = toRequest(doorMessages(options.prompt));
  const instructions = withAnswerBound(asked.instructions, maxOutputTokens);
  const settings = modelSettings(defined({ temperature, reasoningEffort: effortOf(options) }));
  const output = outputOf(options);
  return {
    maxOutputTokens,
    warnings: warningsOf(options),
    request: {
      ...defaults.completion,
      ...asked,
      ...(instructions !== undefined && { instructions }),
      ...(settings !== undefined && { modelSettings: withRootSettings(defaults.completion.modelSettings, settings) }),
      ...(output !== undefined && { output }),
      ...(abortSignal !== undefined && { signal: abortSignal }),
    },
  };
}

/** A run cannot call the tools of its caller. Where they are only offered, it answers without them. */
function checkTools({ tools = [], toolChoice }: LanguageModelV4CallOptions): void {
  if (tools.length === 0 || (toolChoice?.type !== 'required' && toolChoice?.type !== 'tool')) return;
  throw new UnsupportedFunctionalityError({
    functionality: `toolChoice: ${toolChoice.type}`,
    message: refusedParameter('tools').message,
  });
}

function effortOf({ reasoning }: LanguageModelV4CallOptions) {
  return reasoning === 'provider-default' ? undefined : reasoning;
}

/** The schema of an answer in JSON for which the caller gives none: without it every text would be valid, as a JSON string. */
const ANY_JSON = { type: ['object', 'array'] } as const;

function outputOf({ responseFormat }: LanguageModelV4CallOptions): CompletionRequest<unknown>['output'] {
  if (responseFormat?.type !== 'json') return undefined;
  const { schema = ANY_JSON, name, description } = responseFormat;
  return jsonSchema({
    ...(name !== undefined && { title: name }),
    ...(description !== undefined && { description }),
    ...(schema as Readonly<Record<string, unknown>>),
  });
}

function warningsOf(options: LanguageModelV4CallOptions): SharedV4Warning[] {
  const { topP, topK, presencePenalty, frequencyPenalty, seed, stopSequences = [] } = options;
  const sampling = ignoredSettings({
    topP,
    topK,
    presencePenalty,
    frequencyPenalty,
    seed,
    stopSequences: stopSequences.length === 0 ? undefined : stopSequences,
  });
  return [
    ...sampling.map(({ setting, message }) => unsupported(setting, message)),
    ...(hasOfferedTools(options) ? [unsupported('tools', refusedParameter('tools').message)] : []),
    ...(hasHeaders(options)
      ? [unsupported('headers', 'headers have no effect: give createRlm those of its models in `headers`.')]
      : []),
    ...(options.providerOptions?.fathom === undefined
      ? []
      : [unsupported('providerOptions.fathom', 'languageModel(rlm, options) takes the options of its runs.')]),
    ...(options.includeRawChunks === true
      ? [
          unsupported(
            'includeRawChunks',
            'A run has no raw chunks: iterate its events, or give createRlm an `onEvent`.',
          ),
        ]
      : []),
  ];
}

function unsupported(feature: string, details: string): SharedV4Warning {
  return { type: 'unsupported', feature, details };
}

function hasOfferedTools({ tools = [], toolChoice }: LanguageModelV4CallOptions): boolean {
  return tools.length > 0 && toolChoice?.type !== 'none';
}

/** `ai` itself adds the name of its own client to every call. */
function hasHeaders({ headers = {} }: LanguageModelV4CallOptions): boolean {
  return Object.entries(headers).some(([name, value]) => value !== undefined && name.toLowerCase() !== 'user-agent');
}
