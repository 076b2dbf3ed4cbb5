import { closestTo } from '../similar.ts';
import type { ModelPrice } from './port.ts';
import { lookUpModel, tableModels } from './prices.ts';
import { PROVIDERS } from './provider/providers.ts';

/** A model of the price table. */
export interface ListedModel {
  /** As a reference names it, e.g. `openai/gpt-5`. */
  readonly id: string;
  readonly price: ModelPrice | undefined;
  /** Tokens of input and output. */
  readonly contextTokens: number | undefined;
}

/** The models of the price table that a reference can name, by provider. Providers may have others, and some of these no more. */
export function listModels(): readonly ListedModel[] {
  return modelIds().map((id) => ({ id, ...lookUpModel(id) }));
}

function modelIds(): readonly string[] {
  return Object.keys(PROVIDERS).flatMap((provider) => tableModels(provider).map((name) => `${provider}/${name}`));
}

/** Names of providers by which others know them. */
const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    gemini: 'google',
    vertex: 'google',
    'google-ai': 'google',
    claude: 'anthropic',
    gpt: 'openai',
    chatgpt: 'openai',
    grok: 'xai',
    'x-ai': 'xai',
    'lm-studio': 'lmstudio',
    local: 'ollama',
    llamacpp: 'openai-compatible',
    'llama.cpp': 'openai-compatible',
  }),
);

/** Providers without a name here, and how to reach them. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map(
  Object.entries({
    azure:
      'Models of Azure are named by URL: https://NAME.openai.azure.com/openai/v1#DEPLOYMENT, with the key in OPENAI_COMPATIBLE_API_KEY',
    bedrock:
      'Models of Bedrock are named by the URL of a gateway that speaks the API of OpenAI, e.g. openrouter/…, or by its AI SDK model in the library',
  }),
);

/**
 * Suggests the model that an unknown reference probably means, as a sentence without its full stop; undefined when none
 * is close.
 */
export function suggestModel(ref: string): string | undefined {
  const address = ADDRESS.exec(ref);
  if (address !== null) return `Did you mean http://${address[1]}${address[2] ?? '/v1'}#${address[3] ?? 'MODEL'}?`;
  const slash = ref.indexOf('/');
  const provider = slash < 0 ? undefined : ref.slice(0, slash).toLowerCase();
  const name = ref.slice(slash + 1);
  const elsewhere = provider === undefined ? undefined : ELSEWHERE.get(provider);
  if (elsewhere !== undefined) return elsewhere;
  const meant =
    provider === undefined ? undefined : (ALIASES.get(provider) ?? closestTo(provider, Object.keys(PROVIDERS)));
  const id = meant === undefined ? idOf(name) : `${meant}/${name}`;
  return id === undefined || id === ref ? undefined : `Did you mean ${id}?`;
}

/** A server without its scheme: `localhost:11434#m`, `127.0.0.1:8000/v1`. */
const ADDRESS = /^([\w.-]+:\d{2,5})(\/[^#]*)?(?:#(.*))?$/;

/** Providers that sell other vendors' models as well: their own vendors' come first. */
const RESELLERS: ReadonlySet<string> = new Set(['openrouter', 'together', 'fireworks', 'groq', 'cerebras']);

/** The id of a model that is named without its provider: the same name, else the nearest one. */
function idOf(name: string): string | undefined {
  const ids = modelIds();
  const own = ids.filter((id) => !RESELLERS.has(providerOf(id)));
  const same = [...own, ...ids].find((id) => nameOf(id) === name);
  // A dated version or an alias of a listed model.
  const known =
    same ?? Object.keys(PROVIDERS).find((provider) => lookUpModel(`${provider}/${name}`).price !== undefined);
  if (known !== undefined) return known.includes('/') ? known : `${known}/${name}`;
  const near = closestTo(name, own.map(nameOf));
  return near === undefined ? undefined : own.find((id) => nameOf(id) === near);
}

function providerOf(id: string): string {
  return id.slice(0, id.indexOf('/'));
}

function nameOf(id: string): string {
  return id.slice(id.indexOf('/') + 1);
}
