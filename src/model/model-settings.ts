import { isObject } from '../argument-checks.ts';

/** How much a model reasons before it answers, in the words of the AI SDK; each provider's own settings follow from it. */
export const REASONING_EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

/** One of {@link REASONING_EFFORTS}. */
export type ReasoningEffort = (typeof REASONING_EFFORTS)[number];

/** Settings of one model call. An endpoint that refuses one is asked again without it. */
export interface CallSettings {
  /** From 0; the most depends on the provider, often 1 or 2. Default: the provider's. */
  readonly temperature?: number;
  /** Default: the provider's. */
  readonly reasoningEffort?: ReasoningEffort;
}

/** Settings of the models of a run. They are recorded with the run. */
export interface ModelSettings extends CallSettings {
  /** For the root model alone, one by one in place of the others. */
  readonly root?: CallSettings;
  /** For sub-calls and children, one by one in place of the others. */
  readonly sub?: CallSettings;
}

/** The form of {@link ModelSettings}, for messages. */
export const MODEL_SETTINGS: string = `an object such as { temperature: 0, reasoningEffort: 'low', sub: { temperature: 1 } } with an effort of ${REASONING_EFFORTS.join(', ')}`;

/** The settings of calls at a depth: 0 is the root model. */
export function settingsAt({ root, sub, ...all }: ModelSettings, depth: number): CallSettings {
  return depth === 0 ? { ...all, ...root } : { ...all, ...sub };
}

/** True for a value that can be {@link ModelSettings}. */
export function areModelSettings(value: unknown): value is ModelSettings {
  if (!isObject(value) || !areSettings(value, ['root', 'sub'])) return false;
  return [value.root, value.sub].every((part) => part === undefined || areSettings(part, []));
}

function areSettings(value: unknown, more: readonly string[]): boolean {
  if (!isObject(value)) return false;
  const { temperature, reasoningEffort } = value;
  const known = new Set(['temperature', 'reasoningEffort', ...more]);
  return (
    Object.keys(value).every((name) => known.has(name)) &&
    (temperature === undefined ||
      (typeof temperature === 'number' && temperature >= 0 && Number.isFinite(temperature))) &&
    (reasoningEffort === undefined || REASONING_EFFORTS.some((effort) => effort === reasoningEffort))
  );
}

type Body = Readonly<Record<string, unknown>>;

/** Least tokens that Anthropic takes for thinking. */
const LEAST_THINKING = 1_024;
/** Share of a reply that may be thinking: the rest is for the answer. */
const THINKING_SHARE = 0.8;

/**
 * A request body within the output tokens that were reserved for it. Anthropic's older models think within a number of
 * tokens that their SDK adds to the maximum; here it is a part of the maximum, and without room for it they do not think.
 */
export function withinReserve(body: Body, maxOutputTokens: number): Body {
  const { thinking, max_tokens: asked } = body;
  if (!isObject(thinking) || typeof asked !== 'number' || asked <= maxOutputTokens) return body;
  const room = Math.floor(maxOutputTokens * THINKING_SHARE);
  const { thinking: _, ...rest } = body;
  const capped = { ...rest, max_tokens: maxOutputTokens };
  if (typeof thinking.budget_tokens !== 'number') return { ...capped, thinking };
  if (room < LEAST_THINKING) return capped;
  return { ...capped, thinking: { ...thinking, budget_tokens: Math.min(thinking.budget_tokens, room) } };
}
