import { invalidOption } from '../argument-checks.ts';
import { defined } from '../defined.ts';
import { RlmError } from '../errors.ts';
import type { ModelSettings, ReasoningEffort } from '../model/model-settings.ts';

/** Parameters that ask for something that a run cannot give, and what to do. */
const REFUSED = {
  tools: 'cells call only the tools that were given to createRlm: give the tools there',
  n: 'a run gives one answer: ask again for another',
  logprobs: 'an answer is computed by code and several models, so it has no log probabilities: leave it out',
  audio: 'a run reads and answers text: leave it out',
} as const;

/** A parameter that every door refuses. */
export type RefusedParameter = keyof typeof REFUSED;

/** The refusal of a parameter, which names it; `name` is its name where that is another one. */
export function refusedParameter(parameter: RefusedParameter, name: string = parameter): RlmError {
  return refusal(name, REFUSED[parameter]);
}

function refusal(param: string, why: string): RlmError {
  const { message } = invalidOption(`The parameter ${param} cannot be used: ${why}`);
  return new RlmError({ code: 'invalid-option', message, userAction: true, data: { param } });
}

/** A setting that has no effect. */
export interface IgnoredSetting {
  readonly setting: string;
  readonly message: string;
}

/** Settings of the wire form that Fathom hands to no model: each that is given is a warning. `why` is a clause. */
export function ignoredSettings(
  given: Readonly<Record<string, unknown>>,
  why = 'the root model is asked with its own default',
): readonly IgnoredSetting[] {
  const names = Object.keys(given).filter((name) => given[name] !== undefined && given[name] !== null);
  return names.map((setting) => ({ setting, message: `${setting} has no effect: ${why}.` }));
}

/** The settings of the root model, which its sub-calls do not take over; undefined where the request has none. */
export function modelSettings(given: {
  readonly temperature?: number;
  readonly reasoningEffort?: ReasoningEffort;
}): ModelSettings | undefined {
  const { temperature, reasoningEffort } = given;
  if (temperature === undefined && reasoningEffort === undefined) return undefined;
  return { root: defined({ temperature, reasoningEffort }) };
}

/** The settings of a door, of which the client's replace those of the root model one by one. */
export function withRootSettings(own: ModelSettings = {}, { root }: ModelSettings): ModelSettings {
  return { ...own, root: { ...own.root, ...root } };
}

/** @throws RlmError `invalid-option` for a number of tokens that no answer could have; it names the parameter */
export function checkMaxTokens(parameter: string, tokens: unknown): void {
  if (tokens === undefined || (Number.isSafeInteger(tokens) && (tokens as number) > 0)) return;
  throw refusal(parameter, 'it must be a whole number above 0');
}
