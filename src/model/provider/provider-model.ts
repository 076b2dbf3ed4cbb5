import { type Clock, steadyClock, systemClock } from '../../clock.ts';
import type { ProviderAdvice } from '../attempt-setup.ts';
import { createEndpoint } from '../endpoint/endpoint.ts';
import { isLocalUrl, measureWindow } from '../endpoint/local-server.ts';
import { createModel } from '../model.ts';
import type { Model, ModelPrice } from '../port.ts';
import { FREE, lookUpModel } from '../prices.ts';
import { keyRedactor, secretsOf } from '../redact.ts';
import { openConnections } from '../wire/connections.ts';
import { createWireFetch, type WireSetup } from '../wire/wire-fetch.ts';
import { loadProvider, type OpenModel, type ProviderSettings } from './open-provider.ts';
import { findProvider, howToStart } from './providers.ts';
import { type Environment, readSettings } from './settings.ts';

/** Largest response of a model, decompressed: some four hundred times the longest reply there is. */
const MAX_RESPONSE_BYTES = 32 * 1024 * 1024;

/** Options of {@link providerModel}. */
export interface ProviderModelOptions {
  readonly env: Environment;
  readonly prices?: Readonly<Record<string, ModelPrice>>;
  readonly clock?: Clock;
  /** Largest response in bytes. Default 32 MiB. */
  readonly maxResponseBytes?: number;
  /** Ask a local server for its window. Default true. */
  readonly measureWindow?: boolean;
  /** The reference that records keep, where it says more than the id. */
  readonly ref?: string;
  /** Headers beside those of the provider. */
  readonly headers?: Readonly<Record<string, string>>;
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
  const clock = options.clock ?? steadyClock(systemClock);
  const { key } = settings;
  const secrets = secretsOf(key, options.headers);
  const redact = keyRedactor(secrets);
  const learned = createEndpoint();
  const local = isLocalUrl(settings.baseUrl);
  const advice = adviceFor(settings, options.env, local);
  const wire: WireSetup = {
    modelId: id,
    clock,
    redact,
    maxResponseBytes: options.maxResponseBytes ?? MAX_RESPONSE_BYTES,
    endpoint: learned,
    query: settings.query,
    headers: options.headers ?? {},
    advice,
  };
  const askWindow = once(() => measureWindow(settings, learned, options.headers));
  let loading: Promise<OpenModel> | undefined;
  const load = (): Promise<OpenModel> => {
    loading ??= loadProvider(settings);
    return loading;
  };
  return createModel({
    id,
    ...(options.ref !== undefined && options.ref !== id && { ref: options.ref }),
    provider: settings.provider,
    endpoint: settings.baseUrl,
    price: priceOf(settings, options.prices) ?? facts.price ?? (local && isFree(settings) ? FREE : undefined),
    contextTokens: facts.contextTokens,
    clock,
    redact,
    advice,
    secrets,
    remote: true,
    local,
    learned,
    reportsCost: findProvider(settings.provider)?.reportsCost ?? false,
    async prepare() {
      await Promise.all([
        load(),
        openConnections(),
        local && options.measureWindow !== false ? askWindow() : undefined,
      ]);
    },
    async open(watch) {
      const openModel = await load();
      return openModel(createWireFetch(watch, wire));
    },
  });
}

/** The caller's price, by the model's id or its name at the provider. */
function priceOf(
  { provider, model }: ProviderSettings,
  prices: ProviderModelOptions['prices'],
): ModelPrice | undefined {
  return prices?.[`${provider}/${model}`] ?? prices?.[model];
}

function isFree({ provider }: ProviderSettings): boolean {
  return findProvider(provider)?.free === true;
}

function adviceFor(settings: ProviderSettings, env: Environment, local: boolean): ProviderAdvice {
  const proxies = settings.baseUrl.startsWith('https:') ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY'];
  return {
    keyVariable: settings.keyVariable,
    baseUrl: settings.baseUrl,
    otherBaseUrls: otherBaseUrls(settings),
    proxy: local ? undefined : proxies.find((name) => env[name]?.trim()),
    start: howToStart(settings.provider, settings.baseUrl, local),
  };
}

/** Where servers with the API of OpenAI have it, beside the base URL that was given. */
function otherBaseUrls({ provider, baseUrl }: ProviderSettings): readonly string[] {
  const url = URL.parse(baseUrl);
  if (url === null || baseUrl === findProvider(provider)?.baseUrl) return [];
  const below = /\/v\d+$/.test(url.pathname) ? [] : [`${baseUrl}/v1`];
  return [...new Set([...below, `${url.origin}/v1`, `${url.origin}/api/v1`])].filter((other) => other !== baseUrl);
}

/** Runs `work` once, on the first call, and returns its promise to every caller. */
function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= work();
    return running;
  };
}
