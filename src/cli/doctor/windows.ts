import { createEndpoint } from '../../model/endpoint/endpoint.ts';
import { isLocalUrl, measureWindow, servedModels } from '../../model/endpoint/local-server.ts';
import { lookUpModel } from '../../model/prices.ts';
import type { ProviderSettings } from '../../model/provider/open-provider.ts';
import { readSettings } from '../../model/provider/settings.ts';
import { compact, counted } from '../screen/figures.ts';
import { answers, type Environment, type Windows } from './providers.ts';

/** Models of one server that are shown: each is asked for with a request of its own. */
const MOST_MODELS = 8;
/** Tokens below which the root model's conversation does not fit: one reply has up to 16 384. */
const SMALL_WINDOW = 16_384;

/** Asks local servers, and looks other models up in the price table. A server that does not answer has no line. */
export const windowsOf: Windows = async (ref, env) => {
  const all = ref.endsWith('/');
  const settings = settingsOf(all ? `${ref}any` : ref, env);
  if (settings === undefined || !isLocalUrl(settings.baseUrl)) return tableLine(ref);
  if (!(await answers(settings.baseUrl))) return [];
  const models = all ? await servedModels(settings) : [settings.model];
  const lines = await Promise.all(models.slice(0, MOST_MODELS).map((model) => windowLine({ ...settings, model })));
  const more = models.length - MOST_MODELS;
  return more > 0 ? [...lines, `and ${counted(more, 'model')} more`] : lines;
};

/** Undefined for a reference without a server: a script, a recording, or one that cannot be read. */
function settingsOf(ref: string, env: Environment): ProviderSettings | undefined {
  try {
    return readSettings(ref, env);
  } catch {
    return undefined;
  }
}

async function windowLine(settings: ProviderSettings): Promise<string> {
  const endpoint = createEndpoint();
  await measureWindow(settings, endpoint);
  const { contextTokens } = endpoint;
  const { model, provider } = settings;
  const raise = provider === 'ollama' ? RAISE_OLLAMA : RAISE;
  if (contextTokens === undefined) {
    const why = provider === 'ollama' ? ` until it is loaded. ${RAISE_OLLAMA}` : '';
    return `${model}: window unknown${why}`;
  }
  const line = `${model}: window of ${compact(contextTokens)} tokens`;
  return contextTokens < SMALL_WINDOW ? `${line}. That is little. ${raise}` : line;
}

const RAISE = 'Start the server with a larger context.';
const RAISE_OLLAMA = 'Raise it: OLLAMA_CONTEXT_LENGTH=32768 ollama serve, or PARAMETER num_ctx 32768 in its Modelfile.';

function tableLine(ref: string): readonly string[] {
  const { contextTokens } = lookUpModel(ref);
  return contextTokens === undefined ? [] : [`${ref}: window of ${compact(contextTokens)} tokens (price table)`];
}
