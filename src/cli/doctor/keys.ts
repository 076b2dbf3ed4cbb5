import { PROVIDERS, type ProviderSpec } from '../../model/provider/providers.ts';
import type { Finding } from './finding.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Which providers can be used from here. Keys are never shown, not even in part. */
export function lookAtProviders(env: Environment): readonly Finding[] {
  const findings = Object.entries(PROVIDERS).map(([name, spec]) => lookAtProvider(name, spec, env));
  const usable = findings.filter((finding) => finding.state !== 'missing');
  const others = findings.filter((finding) => finding.state === 'missing').map((finding) => finding.name);
  if (others.length === 0) return usable;
  const rest: Finding = {
    name: 'not set up',
    state: usable.length === 0 ? 'missing' : 'ok',
    summary: others.join(', '),
    details: [],
    ...(usable.some(hasKey)
      ? {}
      : {
          advice: 'set a key, e.g. export OPENAI_API_KEY=…, or start a local server such as Ollama and use -m ollama/…',
        }),
  };
  return [...usable, rest];
}

/** The default model of the command line. */
export function lookAtDefaultModel(env: Environment): Finding {
  const model = env.FATHOM_MODEL?.trim();
  if (model !== undefined && model !== '') {
    return { name: 'FATHOM_MODEL', state: 'ok', summary: model, details: [] };
  }
  return {
    name: 'FATHOM_MODEL',
    state: 'partly',
    summary: 'not set: every call needs -m',
    details: [],
    advice: 'export FATHOM_MODEL=provider/model, e.g. openai/gpt-5-mini',
  };
}

function lookAtProvider(name: string, spec: ProviderSpec, env: Environment): Finding {
  const key = spec.keys.find((variable) => isSet(env, variable));
  const url = spec.baseUrls.find((variable) => isSet(env, variable));
  const parts = [
    key === undefined ? undefined : `key from ${key}`,
    url === undefined ? undefined : `base URL from ${url}`,
    spec.keyless === true && key === undefined ? 'needs no key' : undefined,
    url === undefined && spec.keyless === true && spec.baseUrl !== undefined
      ? `expected at ${spec.baseUrl}`
      : undefined,
  ];
  const reachable = spec.baseUrl !== undefined || url !== undefined;
  const usable = reachable && (key !== undefined || spec.keyless === true);
  return {
    name,
    state: usable ? 'ok' : 'missing',
    summary: parts.filter((part) => part !== undefined).join(', '),
    details: [],
  };
}

function hasKey(finding: Finding): boolean {
  return finding.summary.startsWith('key from');
}

function isSet(env: Environment, variable: string): boolean {
  return (env[variable]?.trim() ?? '') !== '';
}
