import { type Clock, systemClock } from '../../clock.ts';
import { RlmError } from '../../errors.ts';
import { createModel, redactKeys } from '../model.ts';
import { ModelError } from '../model-error.ts';
import type { Model, ModelPrice } from '../port.ts';
import { lookUpModel } from '../prices.ts';
import { openConnections } from '../wire/connections.ts';
import { createWireFetch } from '../wire/wire-fetch.ts';
import { loadProvider, type OpenModel, type ProviderSettings } from './open-provider.ts';
import { findProvider, PROVIDERS, type ProviderSpec } from './providers.ts';

/** Largest response of a model, decompressed: some four hundred times the longest reply there is. */
const MAX_RESPONSE_BYTES = 32 * 1024 * 1024;

/** Options of {@link providerModel}. */
export interface ProviderModelOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly prices?: Readonly<Record<string, ModelPrice>> | undefined;
  readonly clock?: Clock | undefined;
  /** Largest response in bytes. Default 32 MiB. */
  readonly maxResponseBytes?: number | undefined;
}

/**
 * A model named by a string.
 *
 * @throws ModelError `model-not-found` for an unknown provider, `missing-key` naming the variable to set
 */
export function providerModel(ref: string, options: ProviderModelOptions): Model {
  const settings = readSettings(ref, options.env);
  const id = `${settings.provider}/${settings.model}`;
  const facts = lookUpModel(id);
  const clock = options.clock ?? systemClock;
  const { key } = settings;
  const redact = (text: string): string => redactKeys(key ? text.replaceAll(key, '[key]') : text);
  const wire = { modelId: id, clock, redact, maxResponseBytes: options.maxResponseBytes ?? MAX_RESPONSE_BYTES };
  let loading: Promise<OpenModel> | undefined;
  const load = (): Promise<OpenModel> => {
    loading ??= loadProvider(settings);
    return loading;
  };
  return createModel({
    id,
    provider: settings.provider,
    endpoint: settings.baseUrl,
    price: options.prices?.[id] ?? options.prices?.[settings.model] ?? facts.price,
    contextTokens: facts.contextTokens,
    clock,
    redact,
    remote: true,
    async prepare() {
      await Promise.all([load(), openConnections()]);
    },
    async open(watch) {
      const openModel = await load();
      return openModel(createWireFetch(watch, wire));
    },
  });
}

/** `provider/model`, `openai.chat/model`, `openai.responses/model`, or `https://host/v1#model`. */
function readSettings(ref: string, env: ProviderModelOptions['env']): ProviderSettings {
  const byUrl = /^(https?:\/\/[^#]+)#(.+)$/.exec(ref);
  if (byUrl?.[1] !== undefined && byUrl[2] !== undefined) {
    return settingsFor('openai-compatible', byUrl[2], env, byUrl[1]);
  }
  const slash = ref.indexOf('/');
  const name = slash < 0 ? '' : ref.slice(0, slash);
  const model = ref.slice(slash + 1);
  const [provider = '', api] = name.split('.');
  if (slash < 0 || model === '' || findProvider(provider) === undefined) throw unknownModel(ref, provider);
  if (api !== undefined && !(provider === 'openai' && (api === 'chat' || api === 'responses'))) {
    throw unknownModel(ref, name);
  }
  const settings = settingsFor(provider, model, env);
  return api === undefined ? settings : { ...settings, openaiApi: api === 'chat' ? 'chat' : 'responses' };
}

function settingsFor(
  provider: string,
  model: string,
  env: ProviderModelOptions['env'],
  givenUrl?: string,
): ProviderSettings {
  const spec = findProvider(provider);
  if (spec === undefined) throw unknownModel(`${provider}/${model}`, provider);
  const baseUrl = givenUrl === undefined ? baseUrlOf(spec, provider, env) : normalize(givenUrl, provider, '');
  const key = firstSet(spec.keys, env);
  if (key === undefined && !spec.keyless) throw missingKey(`${provider}/${model}`, spec.keys);
  return {
    provider,
    api: spec.api,
    // Other servers that speak OpenAI's language speak the older of its two APIs.
    openaiApi: URL.parse(baseUrl)?.hostname.endsWith('openai.com') ? 'responses' : 'chat',
    model,
    baseUrl,
    key,
    organization: env.OPENAI_ORG_ID,
    project: env.OPENAI_PROJECT_ID,
  };
}

function baseUrlOf(spec: ProviderSpec, provider: string, env: ProviderModelOptions['env']): string {
  const given = firstSet(spec.baseUrls, env) ?? spec.baseUrl;
  if (given !== undefined) return normalize(given, provider, spec.path ?? '');
  throw new RlmError({
    code: 'invalid-option',
    message: `Models of ${provider} need a base URL: set ${spec.baseUrls[0]}, e.g. http://127.0.0.1:8000/v1.`,
    userAction: true,
    data: { variable: spec.baseUrls[0] },
  });
}

function normalize(text: string, provider: string, path: string): string {
  // OLLAMA_HOST is a bare host and port.
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `http://${text}`);
  if (url === null) {
    throw new RlmError({
      code: 'invalid-option',
      message: `The base URL of ${provider}, '${text}', is not a URL.`,
      userAction: true,
    });
  }
  const given = url.pathname.replace(/\/+$/, '');
  return `${url.origin}${given === '' ? path : given}`;
}

function firstSet(names: readonly string[], env: ProviderModelOptions['env']): string | undefined {
  for (const name of names) {
    const value = env[name]?.trim();
    if (value) return value;
  }
  return undefined;
}

function missingKey(modelId: string, variables: readonly string[]): ModelError {
  const [first, ...others] = variables;
  const also = others.length === 0 ? '' : ` (or ${others.join(', ')})`;
  return new ModelError({
    fault: 'key',
    message: `There is no key for ${modelId}: set the environment variable ${first}${also}.`,
    data: { variable: first, variables },
  });
}

function unknownModel(ref: string, provider: string): ModelError {
  if (/^https?:/.test(ref)) {
    // Not quoted: a URL may hold a password.
    throw new ModelError({
      fault: 'model',
      message: 'A server is named, and no model of it: write base-url#model, e.g. http://127.0.0.1:8000/v1#my-model.',
    });
  }
  const known = Object.keys(PROVIDERS).join(', ');
  const why = provider === '' ? `'${ref}' does not name a provider` : `There is no provider '${provider}'`;
  return new ModelError({
    fault: 'model',
    message: `${why}: write provider/model, e.g. openai/gpt-5, or base-url#model. The providers are ${known}.`,
    data: { ref, providers: Object.keys(PROVIDERS) },
  });
}
