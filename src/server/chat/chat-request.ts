import { isObject } from '../../argument-checks.ts';
import { requestFromMessages } from '../../door/messages.ts';
import { checkMaxTokens, type RefusedParameter, refusedParameter } from '../../door/parameters.ts';
import { type Asked, outputOf, warningsOf } from '../ask.ts';
import type { JsonBody } from '../body.ts';
import { checkBody, optional } from '../check-body.ts';
import { doorMessage } from '../wire-messages.ts';

/** A request of `/v1/chat/completions`. */
export interface ChatRequest extends Asked {
  readonly stream: boolean;
  /** The last chunk of a stream holds the usage. */
  readonly includeUsage: boolean;
  readonly warnings: string | undefined;
}

/** @throws RlmError `invalid-option` naming the field, `context-invalid` for a file that is not text */
export function chatRequest(body: JsonBody): ChatRequest {
  checkBody('ChatCompletionRequest', body);
  refuse(body);
  const { model, messages, response_format, max_completion_tokens, max_tokens } = body;
  const { temperature, reasoning_effort, stream_options, top_p, stop, seed } = body;
  const { presence_penalty, frequency_penalty, logit_bias, top_k } = body;
  const format = optional<JsonBody>(response_format);
  const maxOutputTokens = optional<number>(max_completion_tokens) ?? optional<number>(max_tokens);
  checkMaxTokens('max_tokens', maxOutputTokens);
  return {
    model: model as string,
    asked: requestFromMessages((messages as readonly JsonBody[]).map(doorMessage)),
    output: outputOf(format, {
      schema: isObject(format?.json_schema) ? format.json_schema.schema : undefined,
      param: 'response_format',
    }),
    maxOutputTokens,
    temperature: optional(temperature),
    reasoningEffort: optional(reasoning_effort),
    stream: body.stream === true,
    includeUsage: isObject(stream_options) && stream_options.include_usage === true,
    warnings: warningsOf({ top_p, top_k, stop, seed, presence_penalty, frequency_penalty, logit_bias }, body),
  };
}

function refuse({ tools, functions, n, logprobs, top_logprobs, audio, modalities }: JsonBody): void {
  const asksAudio = Array.isArray(modalities) && modalities.includes('audio');
  const asked: readonly (readonly [RefusedParameter, boolean, name?: string])[] = [
    ['tools', isFilled(tools)],
    ['tools', isFilled(functions), 'functions'],
    ['n', optional(n) !== undefined && n !== 1],
    ['logprobs', logprobs === true || (optional<number>(top_logprobs) ?? 0) > 0],
    ['audio', optional(audio) !== undefined || asksAudio],
  ];
  for (const [parameter, given, name] of asked) if (given) throw refusedParameter(parameter, name);
}

/** Clients send an empty list where they have no tools. */
export function isFilled(list: unknown): boolean {
  return Array.isArray(list) ? list.length > 0 : optional(list) !== undefined;
}
