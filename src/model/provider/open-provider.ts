import type { LanguageModel } from '../port.ts';
import type { Fetch } from '../wire/wire-fetch.ts';
import type { ProviderSpec } from './providers.ts';

/** Which of OpenAI's two APIs to speak. */
export type OpenAIApi = 'responses' | 'chat';

/** The settings that a provider's model is opened with. */
export interface ProviderSettings {
  readonly provider: string;
  readonly api: ProviderSpec['api'];
  readonly openaiApi: OpenAIApi;
  readonly model: string;
  readonly baseUrl: string;
  /** The query of the base URL, with its question mark; empty for a URL without a query. */
  readonly query: string;
  readonly key: string | undefined;
  /** The environment variable that holds the key, or that would. */
  readonly keyVariable: string | undefined;
  readonly organization: string | undefined;
  readonly project: string | undefined;
}

/** Makes the AI SDK model for one attempt, whose requests go through `fetch`. */
export type OpenModel = (fetch: Fetch) => LanguageModel;

/** Loads the provider's package, once it is needed: start-up does not wait for unused packages. */
export async function loadProvider(settings: ProviderSettings): Promise<OpenModel> {
  const { provider, model, baseUrl: baseURL } = settings;
  const apiKey = settings.key ?? '';
  switch (settings.api) {
    case 'openai': {
      const { createOpenAI } = await import('@ai-sdk/openai');
      const { organization, project } = settings;
      const identity = { ...(organization ? { organization } : {}), ...(project ? { project } : {}) };
      return (fetch) => createOpenAI({ apiKey, baseURL, fetch, ...identity })[settings.openaiApi](model);
    }
    case 'anthropic': {
      const { createAnthropic } = await import('@ai-sdk/anthropic');
      return (fetch) => createAnthropic({ apiKey, baseURL, fetch })(model);
    }
    case 'google': {
      const { createGoogleGenerativeAI } = await import('@ai-sdk/google');
      return (fetch) => createGoogleGenerativeAI({ apiKey, baseURL, fetch })(model);
    }
    case 'compatible': {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
      const key = apiKey === '' ? {} : { apiKey };
      return (fetch) => createOpenAICompatible({ name: provider, baseURL, fetch, includeUsage: true, ...key })(model);
    }
  }
}
