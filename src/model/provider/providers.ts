/** How a provider is reached. */
export interface ProviderSpec {
  /** Which wire format, and with it which package of the AI SDK. */
  readonly api: 'openai' | 'anthropic' | 'google' | 'compatible';
  /** Environment variables that may hold the key, first found wins; the first is the one to name when none is set. */
  readonly keys: readonly string[];
  /** The provider works without a key. */
  readonly keyless?: true;
  /** Environment variables that may hold the base URL. */
  readonly baseUrls: readonly string[];
  /** Base URL when no variable is set; without one a variable is required. */
  readonly baseUrl?: string;
  /** The variables hold a host in Ollama's form: scheme and port may be missing. */
  readonly hostForm?: true;
  /** Its models cost nothing where its server is local. */
  readonly free?: true;
  /** The provider reports the cost of each call. */
  readonly reportsCost?: true;
  /** How to start the server, for an error when it does not answer. */
  readonly start?: string;
  /** Path appended to a base URL that has none. */
  readonly path?: string;
}

function compatible(name: string, baseUrl: string, keyless?: true): ProviderSpec {
  return {
    api: 'compatible',
    keys: [`${name}_API_KEY`],
    baseUrls: [`${name}_BASE_URL`],
    baseUrl,
    path: '/v1',
    ...(keyless ? { keyless } : {}),
  };
}

/** Every provider a model reference can name. */
export const PROVIDERS: Readonly<Record<string, ProviderSpec>> = {
  openai: {
    api: 'openai',
    keys: ['OPENAI_API_KEY'],
    baseUrls: ['OPENAI_BASE_URL'],
    baseUrl: 'https://api.openai.com/v1',
    path: '/v1',
  },
  anthropic: {
    api: 'anthropic',
    keys: ['ANTHROPIC_API_KEY'],
    baseUrls: ['ANTHROPIC_BASE_URL'],
    baseUrl: 'https://api.anthropic.com/v1',
    path: '/v1',
  },
  google: {
    api: 'google',
    keys: ['GOOGLE_GENERATIVE_AI_API_KEY', 'GEMINI_API_KEY', 'GOOGLE_API_KEY'],
    baseUrls: ['GOOGLE_GENERATIVE_AI_BASE_URL', 'GOOGLE_GEMINI_BASE_URL', 'GEMINI_BASE_URL'],
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    path: '/v1beta',
  },
  openrouter: { ...compatible('OPENROUTER', 'https://openrouter.ai/api/v1'), reportsCost: true },
  groq: compatible('GROQ', 'https://api.groq.com/openai/v1'),
  mistral: compatible('MISTRAL', 'https://api.mistral.ai/v1'),
  deepseek: compatible('DEEPSEEK', 'https://api.deepseek.com/v1'),
  xai: compatible('XAI', 'https://api.x.ai/v1'),
  together: compatible('TOGETHER', 'https://api.together.xyz/v1'),
  fireworks: compatible('FIREWORKS', 'https://api.fireworks.ai/inference/v1'),
  cerebras: compatible('CEREBRAS', 'https://api.cerebras.ai/v1'),
  ollama: {
    ...compatible('OLLAMA', 'http://127.0.0.1:11434/v1', true),
    baseUrls: ['OLLAMA_BASE_URL', 'OLLAMA_HOST'],
    hostForm: true,
    free: true,
    start: 'is Ollama running? Start it with: ollama serve',
  },
  vllm: {
    ...compatible('VLLM', 'http://127.0.0.1:8000/v1', true),
    free: true,
    start: 'is vLLM running? Start it with: vllm serve MODEL',
  },
  lmstudio: {
    ...compatible('LMSTUDIO', 'http://127.0.0.1:1234/v1', true),
    free: true,
    start: 'is the server of LM Studio running? Start it with: lms server start',
  },
  'openai-compatible': {
    api: 'compatible',
    keys: ['OPENAI_COMPATIBLE_API_KEY'],
    keyless: true,
    baseUrls: ['OPENAI_COMPATIBLE_BASE_URL'],
    path: '/v1',
  },
};

/** The usual port of llama.cpp's server, which has no provider of its own here. */
const LLAMA_SERVER_PORT = '8080';

/** How to start the server that does not answer: its provider's, or for a local URL that of the server whose usual port it has. */
export function howToStart(provider: string, baseUrl: string, local: boolean): string | undefined {
  const start = findProvider(provider)?.start;
  if (start !== undefined || !local) return start;
  const port = URL.parse(baseUrl)?.port;
  const usual = Object.values(PROVIDERS).find(
    ({ baseUrl: url, keyless }) => keyless && URL.parse(url ?? '')?.port === port,
  );
  if (usual?.start !== undefined) return usual.start;
  return port === LLAMA_SERVER_PORT
    ? 'is llama-server running? Start it with: llama-server -m MODEL.gguf'
    : 'nothing listens there: start the server, or correct the URL';
}

/** The provider of that name; undefined when there is none. */
export function findProvider(name: string): ProviderSpec | undefined {
  return Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined;
}
