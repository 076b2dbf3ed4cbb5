import net from 'node:net';
import { PROVIDERS, type ProviderSpec } from '../../model/provider/providers.ts';
import type { Config } from '../options/config.ts';
import { namedModel } from '../options/models.ts';
import type { Finding } from './findings.ts';

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The windows of the models that a reference names, a line each: `ollama/` names all models of that server. */
export type Windows = (ref: string, env: Environment) => Promise<readonly string[]>;

/** Inputs of {@link lookAtProviders}. */
export interface ProviderLook {
  readonly env: Environment;
  /** Whether a server that needs no key accepts connections at its usual place. */
  readonly answers: (baseUrl: string) => Promise<boolean>;
  /** The windows of the models of a local server, a line each. */
  readonly windows: Windows;
}

/** Which providers can be used from here. Keys are never shown, not even in part. */
export async function lookAtProviders({ env, answers, windows }: ProviderLook): Promise<readonly Finding[]> {
  const usable: Finding[] = [];
  const others: string[] = [];
  for (const [name, spec] of Object.entries(PROVIDERS)) {
    const summary = await usableBy(spec, { env, answers });
    if (summary === undefined) others.push(name);
    else
      usable.push({ name, state: 'ok', summary, details: spec.keyless === true ? await windows(`${name}/`, env) : [] });
  }
  if (others.length === 0) return usable;
  const rest: Finding = {
    name: 'not set up',
    state: usable.length === 0 ? 'missing' : 'ok',
    summary: others.join(', '),
    details: [],
  };
  return [...usable, usable.length > 0 ? rest : { ...rest, advice: ADVICE }];
}

const ADVICE =
  'set a key, e.g. export OPENAI_API_KEY=…, or start a server on this machine, e.g. Ollama, and use -m ollama/…';

/** The default model of the command line, with its window. */
export async function lookAtDefaultModel(env: Environment, config: Config, windows: Windows): Promise<Finding> {
  const model = namedModel(undefined, env, config);
  if (model !== undefined) {
    const from = (env.FATHOM_MODEL?.trim() ?? '') === '' ? ' (config file)' : '';
    const details = await windows(model, env);
    return { name: 'default model', state: 'ok', summary: `${model}${from}`, details };
  }
  return {
    name: 'default model',
    state: 'partly',
    summary: 'FATHOM_MODEL is not set: every call needs -m',
    details: [],
    advice: 'export FATHOM_MODEL=provider/model, e.g. openai/gpt-5-mini',
  };
}

/** By what a provider can be used; undefined when it cannot. */
async function usableBy(
  spec: ProviderSpec,
  { env, answers }: Omit<ProviderLook, 'windows'>,
): Promise<string | undefined> {
  const key = spec.keys.find((variable) => isSet(env, variable));
  const url = spec.baseUrls.find((variable) => isSet(env, variable));
  if (key === undefined && spec.keyless !== true) return undefined;
  if (url === undefined && spec.baseUrl === undefined) return undefined;
  if (key !== undefined) return url === undefined ? `key from ${key}` : `key from ${key}, base URL from ${url}`;
  if (url !== undefined) return `needs no key, base URL from ${url}`;
  return (await answers(spec.baseUrl ?? '')) ? `needs no key, a server answers at ${spec.baseUrl}` : undefined;
}

function isSet(env: Environment, variable: string): boolean {
  return (env[variable]?.trim() ?? '') !== '';
}

/** Milliseconds a server on this machine may take to accept a connection. */
const PATIENCE_MS = 500;

/** Whether something accepts connections at a base URL. Nothing is sent. */
export async function answers(baseUrl: string): Promise<boolean> {
  const url = URL.parse(baseUrl);
  if (url === null) return false;
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const socket = net.connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port });
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.setTimeout(PATIENCE_MS, () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}
