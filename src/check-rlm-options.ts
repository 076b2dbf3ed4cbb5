import { invalidOption, isObject, kindOf } from './argument-checks.ts';
import { areModelSettings, MODEL_SETTINGS } from './model/model-settings.ts';
import { checkOptionNames, type OptionNames } from './option-names.ts';
import { ISOLATION_LEVELS } from './repl/port.ts';
import type { RlmOptions } from './rlm-options.ts';

/** A check of an option, and the words for what it requires. */
interface Rule {
  readonly holds: (value: unknown) => boolean;
  readonly says: string;
}

/** Options that nothing else would look at before a completion needs them. Limits and tools have checks of their own. */
const RULES: Readonly<Partial<Record<keyof RlmOptions, Rule>>> = {
  isolation: {
    holds: (value) => ISOLATION_LEVELS.some((level) => level === value),
    says: `one of ${ISOLATION_LEVELS.join(', ')}`,
  },
  prompt: { holds: isPrompt, says: 'an object such as { instructions: "Answer in French." }' },
  store: {
    holds: (value) => isObject(value) && typeof value.flush === 'function' && isObject(value.runs),
    says: 'a store, such as sqliteStore(path)',
  },
  prices: {
    holds: (value) => isObject(value) && Object.values(value).every(isPrice),
    says: 'an object of prices by model id, each { input, output } in USD per million tokens',
  },
  modelSettings: { holds: areModelSettings, says: MODEL_SETTINGS },
  headers: {
    holds: (value) => isObject(value) && Object.values(value).every(areHeaders),
    says: 'an object of headers by model id, such as { "openai/gpt-5": { "X-Team": "search" } }, without those that HTTP itself sets',
  },
  allowedModels: {
    holds: (value) => Array.isArray(value) && value.every((model) => typeof model === 'string'),
    says: 'a list of model ids',
  },
  maxRepls: { holds: (value) => Number.isSafeInteger(value) && Number(value) > 0, says: 'a whole number from 1' },
  maxQueuedRuns: { holds: (value) => Number.isSafeInteger(value) && Number(value) >= 0, says: 'a whole number from 0' },
  policy: {
    holds: (value) => isObject(value) && typeof value.check === 'function',
    says: 'a policy, such as policy({ … }) of fathom-rlm/policy',
  },
  requireInspection: { holds: (value) => typeof value === 'boolean', says: 'true or false' },
  fallbackToRootModel: { holds: (value) => typeof value === 'boolean', says: 'true or false' },
  cluster: {
    holds: (value) => isObject(value) && typeof value.runChild === 'function' && typeof value.queueRun === 'function',
    says: 'a cluster, such as await connectCluster({ redis })',
  },
  onEvent: { holds: (value) => typeof value === 'function', says: 'a function' },
  clock: { holds: (value) => isObject(value) && typeof value.now === 'function', says: 'a clock, such as fakeClock()' },
};

const NAMES: OptionNames<RlmOptions> = {
  model: true,
  subModel: true,
  repl: true,
  limits: true,
  maxRepls: true,
  maxQueuedRuns: true,
  tools: true,
  subTools: true,
  store: true,
  prompt: true,
  isolation: true,
  cluster: true,
  requireInspection: true,
  policy: true,
  allowedModels: true,
  fallbackToRootModel: true,
  modelSettings: true,
  headers: true,
  prices: true,
  clock: true,
  onEvent: true,
};

/** @throws RlmError `invalid-option` for options that cannot be right */
export function checkRlmOptions(options: RlmOptions): void {
  if (!isObject(options) || options.model === undefined || options.model === null)
    throw invalidOption('createRlm needs a model, for example { model: "openai/gpt-5" }');
  checkOptionNames('createRlm', options, NAMES);
  for (const [name, rule] of Object.entries(RULES)) {
    const value = options[name as keyof RlmOptions];
    if (value !== undefined && !rule.holds(value))
      throw invalidOption(`The option ${name} has to be ${rule.says}; this is ${kindOf(value)}`);
  }
}

function isPrompt(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { instructions, system, stopAfterFirstBlock, dialect } = value;
  if (dialect !== undefined && dialect !== 'fathom' && dialect !== 'reference') return false;
  const texts = [instructions, system].every((text) => text === undefined || typeof text === 'string');
  return texts && (stopAfterFirstBlock === undefined || typeof stopAfterFirstBlock === 'boolean');
}

/** Headers that the connection sets, or that would change where a request ends. */
const NOT_SETTABLE: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'content-type',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'expect',
]);

/** True for headers that can be sent: names and values by RFC 9110 §5. */
export function areHeaders(value: unknown): boolean {
  if (!isObject(value)) return false;
  return Object.entries(value).every(
    ([name, text]) =>
      /^[!#$%&'*+.^_`|~\w-]+$/.test(name) &&
      !NOT_SETTABLE.has(name.toLowerCase()) &&
      typeof text === 'string' &&
      /^[\t\x20-\x7e\x80-\xff]*$/.test(text),
  );
}

/** True for a price. */
export function isPrice(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { input, output, cached, cacheWrite } = value;
  return [input, output, cached ?? 0, cacheWrite ?? 0].every(
    (amount) => typeof amount === 'number' && Number.isFinite(amount) && amount >= 0,
  );
}
