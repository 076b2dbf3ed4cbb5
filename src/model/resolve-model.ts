import { isObject, kindOf } from '../argument-checks.ts';
import type { Clock } from '../clock.ts';
import { defined } from '../defined.ts';
import { createModel } from './model.ts';
import { ModelError } from './model-error.ts';
import type { LanguageModel, Model, ModelPrice, ModelRef } from './port.ts';
import { FREE, lookUpModel } from './prices.ts';
import { providerModel } from './provider/provider-model.ts';
import { findProvider } from './provider/providers.ts';
import { recordingModel } from './recording/recorder.ts';
import { createPlayer, readRecording, replyOf } from './recording/recording.ts';
import { scriptFileModel } from './scripted/script-file.ts';

/** Options of {@link resolveModel}. */
export interface ResolveOptions {
  /** Environment variables. Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** USD per million tokens per model id; overrides the table. */
  readonly prices?: Readonly<Record<string, ModelPrice>>;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Largest response of a provider in bytes. Default 32 MiB. */
  readonly maxResponseBytes?: number;
  /** Ask a local server for the window with which it runs the model, before the first call. Default true. */
  readonly measureWindow?: boolean;
  /** Headers for requests to the model's server, beside those of its provider. Never recorded. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Turns what callers name a model by into a {@link Model}. Nothing is sent and no provider's package is loaded yet.
 *
 * | reference | model |
 * |---|---|
 * | an AI SDK language model | itself, specification 2, 3 or 4 |
 * | `openai/gpt-5`, `anthropic/…`, `google/…` | that provider; key and base URL from its usual environment variables |
 * | `ollama/…`, `vllm/…`, `lmstudio/…`, `openrouter/…`, … | that OpenAI-compatible server; `NAME_BASE_URL`, `NAME_API_KEY` |
 * | `openai-compatible/…` | the server at `OPENAI_COMPATIBLE_BASE_URL` |
 * | `http://host:8000/v1#model` | the OpenAI-compatible server at that base URL |
 * | `replay:FILE` | the recorded answers in FILE |
 * | `record:FILE:REF` | the model REF, recorded to FILE |
 * | `scripted:FILE` | the replies in FILE, a JSON array, in order |
 *
 * @throws ModelError `model-not-found`, or `missing-key` naming the variable to set
 */
export function resolveModel(ref: ModelRef, options: ResolveOptions = {}): Model {
  if (typeof ref !== 'string') return fromLanguageModel(ref, options);
  const [scheme, rest] = splitOnce(ref, ':');
  switch (rest === undefined ? undefined : scheme) {
    case 'replay':
      return replayModel(rest ?? '', options);
    case 'record':
      return recordedReference(ref, rest ?? '', options);
    case 'scripted':
      return {
        ...fromLanguageModel(scriptFileModel(rest ?? ''), options),
        id: ref,
        price: options.prices?.[ref] ?? FREE,
      };
    default:
      return providerModel(ref, {
        ...options,
        env: options.env ?? process.env,
        ...defined({ ref: referenceToKeep(ref) }),
      });
  }
}

/** Names of query parameters whose values are secrets. */
const SECRET_PARAMETER = /key|token|secret|sig|code|pass|auth/i;

/** The reference as records may keep it: undefined when it holds a password or a key. */
function referenceToKeep(ref: string): string | undefined {
  const url = URL.parse(ref);
  if (url === null) return ref;
  const secret =
    url.username !== '' ||
    url.password !== '' ||
    [...url.searchParams.keys()].some((name) => SECRET_PARAMETER.test(name));
  return secret ? undefined : ref;
}

function fromLanguageModel(model: LanguageModel, options: ResolveOptions): Model {
  if (!isLanguageModel(model)) {
    const what = isObject(model) ? 'an object without provider, modelId and doStream' : kindOf(model);
    throw new ModelError({
      fault: 'model',
      message: `A model is a reference such as openai/gpt-5, or a language model of the AI SDK; this is ${what}.`,
    });
  }
  // Providers of the AI SDK name their API as well: 'openai.responses'.
  const provider = model.provider.split('.')[0] ?? model.provider;
  const id = provider === model.modelId ? model.modelId : `${provider}/${model.modelId}`;
  const facts = findProvider(provider) === undefined ? undefined : lookUpModel(id);
  return createModel({
    id,
    provider,
    price: options.prices?.[id] ?? options.prices?.[model.modelId] ?? facts?.price,
    contextTokens: facts?.contextTokens,
    ...defined({ clock: options.clock }),
    open: () => model,
  });
}

function isLanguageModel(model: unknown): boolean {
  if (!isObject(model)) return false;
  const { provider, modelId, doStream } = model;
  return typeof provider === 'string' && typeof modelId === 'string' && typeof doStream === 'function';
}

/** Priced as the recorded model was, so that limits bite where they did. */
function replayModel(file: string, options: ResolveOptions): Model {
  const calls = readRecording(file);
  const player = createPlayer(calls, `The recording ${file}`);
  const recorded = calls[0]?.model ?? '';
  const facts = lookUpModel(recorded);
  return {
    id: `replay:${file}`,
    provider: 'replay',
    price: options.prices?.[recorded] ?? facts.price,
    contextTokens: facts.contextTokens,
    maxOutputTokens: undefined,
    attempt: async (request) => replyOf(player.answer(request.messages)),
  };
}

function recordedReference(ref: string, rest: string, options: ResolveOptions): Model {
  const [file, inner] = splitOnce(rest, ':');
  if (file === '' || inner === undefined || inner === '') {
    throw new ModelError({
      fault: 'model',
      message: `'${ref}' does not name a file and a model: write record:FILE:provider/model.`,
    });
  }
  return recordingModel(resolveModel(inner, options), file);
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
