import { RlmError } from '../../errors.ts';
import { ModelError } from '../model-error.ts';
import { suggestModel } from '../model-list.ts';
import type { ProviderSettings } from './open-provider.ts';
import { findProvider, PROVIDERS, type ProviderSpec } from './providers.ts';

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The settings that a reference and the environment give: `provider/model`, `openai.chat/model`,
 * `openai.responses/model`, or `https://host/v1#model`.
 *
 * @throws ModelError `model-not-found` for an unknown provider, `missing-key` naming the variable to set
 */
export function readSettings(ref: string, env: Environment): ProviderSettings {
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

function settingsFor(provider: string, model: string, env: Environment, givenUrl?: string): ProviderSettings {
  const spec = findProvider(provider);
  if (spec === undefined) throw unknownModel(`${provider}/${model}`, provider);
  const { baseUrl, query } =
    givenUrl === undefined ? baseUrlOf(spec, provider, env) : normalize(givenUrl, provider, '');
  const keyVariable = spec.keys.find((name) => env[name]?.trim());
  const key = keyVariable === undefined ? undefined : env[keyVariable]?.trim();
  if (key === undefined && !spec.keyless) throw missingKey(`${provider}/${model}`, spec.keys);
  if (key !== undefined && keyVariable !== undefined) checkKey(key, keyVariable);
  return {
    provider,
    api: spec.api,
    // Other servers that speak OpenAI's language speak the older of its two APIs.
    openaiApi: URL.parse(baseUrl)?.hostname.endsWith('openai.com') ? 'responses' : 'chat',
    model,
    baseUrl,
    query,
    key,
    keyVariable: keyVariable ?? spec.keys[0],
    organization: env.OPENAI_ORG_ID,
    project: env.OPENAI_PROJECT_ID,
  };
}

function baseUrlOf(spec: ProviderSpec, provider: string, env: Environment): BaseUrl {
  const given = firstSet(spec.baseUrls, env) ?? spec.baseUrl;
  if (given !== undefined)
    return normalize(spec.hostForm === true ? ollamaHost(given) : given, provider, spec.path ?? '');
  throw new RlmError({
    code: 'invalid-option',
    message: `Models of ${provider} need a base URL: set ${spec.baseUrls[0]}, e.g. http://127.0.0.1:8000/v1.`,
    userAction: true,
    data: { variable: spec.baseUrls[0] },
  });
}

interface BaseUrl {
  readonly baseUrl: string;
  /** With its question mark; empty for a URL without a query. */
  readonly query: string;
}

function normalize(text: string, provider: string, path: string): BaseUrl {
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `http://${text}`);
  if (url === null) {
    throw new RlmError({
      code: 'invalid-option',
      message: `The base URL of ${provider}, '${text}', is not a URL.`,
      userAction: true,
    });
  }
  const given = url.pathname.replace(/\/+$/, '');
  return { baseUrl: `${url.origin}${given === '' ? path : given}`, query: url.search };
}

/** Ollama's default port. */
const OLLAMA_PORT = '11434';

/**
 * The URL of a server from what Ollama itself accepts in OLLAMA_HOST: a scheme, a host and a port, each of which may be
 * missing. An address to listen on at all interfaces is reached by loopback.
 * Source: https://github.com/ollama/ollama, `envconfig.Host`.
 */
function ollamaHost(text: string): string {
  const [, scheme = 'http', rest = ''] =
    /^(?:(https?):\/\/)?(.*)$/i.exec(text.trim().replace(/^["']|["']$/g, '')) ?? [];
  const slash = rest.indexOf('/');
  const authority = slash === -1 ? rest : rest.slice(0, slash);
  const path = slash === -1 ? '' : rest.slice(slash);
  const [, host = '', port = ''] = /^(\[[^\]]*\]|[^:]*(?::[^:]*:.*)?)(?::(\d*))?$/.exec(authority) ?? [];
  const bare = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const isAny = bare === '' || bare === '0.0.0.0' || bare === '[::]' || bare === '*';
  const defaultPort = scheme.toLowerCase() === 'https' ? '443' : /^https?:\/\//i.test(text) ? '80' : OLLAMA_PORT;
  return `${scheme.toLowerCase()}://${isAny ? '127.0.0.1' : bare}:${port === '' ? defaultPort : port}${path}`;
}

/** Characters that no HTTP header and so no key has, typographic quotes above all. */
const NOT_IN_A_KEY = /[^\x21-\x7e]/;

function checkKey(key: string, variable: string): void {
  const at = key.search(NOT_IN_A_KEY);
  if (at === -1) return;
  const code = key.codePointAt(at)?.toString(16).toUpperCase().padStart(4, '0');
  throw new ModelError({
    fault: 'key',
    message: `The key in ${variable} holds a character that no key has (U+${code} at position ${at + 1}): set it again, without quotes.`,
    data: { variable },
  });
}

function firstSet(names: readonly string[], env: Environment): string | undefined {
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
    message: `There is no key for ${modelId}: set the environment variable ${first}${also}. Fathom does not read .env files.`,
    data: { variable: first, variables },
  });
}

function unknownModel(ref: string, provider: string): ModelError {
  if (/^https?:/.test(ref)) {
    // Not quoted: a URL may hold a password.
    throw new ModelError({
      fault: 'model',
      message: 'The URL names a server but no model: write base-url#model, e.g. http://127.0.0.1:8000/v1#my-model.',
    });
  }
  const known = Object.keys(PROVIDERS).join(', ');
  const suggestion = suggestModel(ref);
  const meant = suggestion === undefined ? '' : ` ${suggestion.replace(/(?<!\?)$/, '.')}`;
  const why = provider === '' ? `'${ref}' does not name a provider` : `There is no provider '${provider}'`;
  return new ModelError({
    fault: 'model',
    message: `${why}.${meant} Write provider/model, or base-url#model. The providers are ${known}.`,
    data: { ref, providers: Object.keys(PROVIDERS) },
  });
}
