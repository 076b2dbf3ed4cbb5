import type { ProviderAnswer } from '../provider-answer.ts';

/** A change to later requests of one model at one URL, learned from an error of that endpoint. */
export type Adaptation =
  | { readonly kind: 'rename'; readonly parameter: string; readonly to: string }
  | { readonly kind: 'omit'; readonly parameter: string }
  /** The endpoint does not stream: replies are asked for in one piece. */
  | { readonly kind: 'no-stream' }
  /** The model's own maximum of output tokens. */
  | { readonly kind: 'max-output'; readonly tokens: number }
  /** Input and output together exceed the window; `inputTokens` as the endpoint counted them, where it says. */
  | { readonly kind: 'window'; readonly tokens: number; readonly inputTokens: number | undefined };

/** A request body as an object. */
export type RequestBody = Readonly<Record<string, unknown>>;

/** Names under which the providers take a maximum of output tokens. */
const OUTPUT_PARAMETERS: readonly string[] = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'];

/** Parameters without which a request means nothing. */
const ESSENTIAL: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'input',
  'contents',
  'system',
  'systemInstruction',
  'instructions',
]);

const NOT_SUPPORTED =
  /unsupported|unknown|unrecogni[sz]ed|unexpected|forbidden|(?:not|n't) (?:\w+ )?(?:support|allow|permit|accept|availab|recogni)|extra (?:input|field)|no such (?:parameter|field)|invalid (?:parameter|argument|field)|must be verified|only the default/i;

/**
 * Reads from an error response which part of a request the endpoint refuses. Undefined when the error is not about the
 * form of the request, or when the request cannot be changed to suit it.
 *
 * @param answer the provider's own words
 * @param sent the body of the refused request
 */
export function readRefusal(answer: ProviderAnswer | undefined, sent: RequestBody): Adaptation | undefined {
  if (answer === undefined) return undefined;
  const asked = outputMaximum(sent);
  if (asked !== undefined) {
    const size = readWindow(answer) ?? readOutputCap(answer.message, asked);
    if (size !== undefined) return size;
  }
  return readParameter(answer, sent);
}

/** The maximum of output tokens that a request asks for. */
function outputMaximum(sent: RequestBody): number | undefined {
  const config = sent.generationConfig;
  const nested = typeof config === 'object' && config !== null ? (config as RequestBody).maxOutputTokens : undefined;
  const value = OUTPUT_PARAMETERS.map((name) => sent[name]).find((given) => given !== undefined) ?? nested;
  return typeof value === 'number' ? value : undefined;
}

const WINDOW_SIZE: readonly RegExp[] = [
  /(?:maximum context length|max_model_len|context (?:length|window|size|limit))\D{0,30}([\d,]+)/i,
  // Text Generation Inference and Together.
  /max_new_tokens\S* must be <= ?([\d,]+)/i,
];
const INPUT_SIZE: readonly RegExp[] = [
  // vLLM; OpenRouter.
  /([\d,]+) (?:tokens )?(?:in the|of text) (?:messages|prompt|input)/i,
  /(?:prompt|input|request) (?:contains|has)(?: at least)? ([\d,]+)/i,
  /given: ([\d,]+) \W?inputs/i,
  /([\d,]+) input tokens/i,
];
/** Anthropic: `199211 + 20000 > 200000`. */
const SUM = /([\d,]+) \+ [\d,]+ > ([\d,]+)/;

function readWindow({ message, limit, size }: ProviderAnswer): Adaptation | undefined {
  const sum = SUM.exec(message);
  const tokens = count(sum?.[2]) ?? firstCount(WINDOW_SIZE, message) ?? limit;
  const inputTokens = count(sum?.[1]) ?? firstCount(INPUT_SIZE, message) ?? size;
  if (tokens === undefined) return undefined;
  // A prompt that fills the window by itself cannot be helped by asking for less output.
  if (inputTokens !== undefined && inputTokens >= tokens) return undefined;
  if (inputTokens === undefined && !/max_|completion|output|new tokens/i.test(message)) return undefined;
  return { kind: 'window', tokens, inputTokens };
}

const OUTPUT_CAP: readonly RegExp[] = [
  // Anthropic: `max_tokens: 16384 > 8192, which is the maximum allowed number of output tokens`.
  /max_tokens: ?[\d,]+ > ([\d,]+)/i,
  /at most ([\d,]+)(?: completion| output)? ?tokens/i,
  /max\w*tokens?\b.{0,80}?(?:<=|at most|less than or equal to|cannot exceed|must not exceed|exceeds|maximum|limit|up to)\D{0,40}([\d,]+)/is,
  /(?:maximum|limit)\b.{0,40}?(?:output|completion|max_tokens)\D{0,40}([\d,]+)/is,
];
/** Google: `supported range is from 1 (inclusive) to 8193 (exclusive)`. */
const EXCLUSIVE_RANGE = /range is from \d+ \(inclusive\) to ([\d,]+) \(exclusive\)/i;

function readOutputCap(message: string, asked: number): Adaptation | undefined {
  const exclusive = count(EXCLUSIVE_RANGE.exec(message)?.[1]);
  const tokens = exclusive === undefined ? firstCount(OUTPUT_CAP, message) : exclusive - 1;
  return tokens !== undefined && tokens > 0 && tokens < asked ? { kind: 'max-output', tokens } : undefined;
}

function readParameter(answer: ProviderAnswer, sent: RequestBody): Adaptation | undefined {
  const words = `${answer.names} ${answer.message}`;
  if (!NOT_SUPPORTED.test(words)) return undefined;
  const parameter = namedParameter(answer, sent);
  if (parameter === undefined) return undefined;
  if (parameter === 'stream') return { kind: 'no-stream' };
  if (!OUTPUT_PARAMETERS.includes(parameter)) return { kind: 'omit', parameter };
  const other = parameter === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
  return new RegExp(`\\b${other}\\b`).test(answer.message) || parameter === 'max_tokens'
    ? { kind: 'rename', parameter, to: other }
    : { kind: 'omit', parameter };
}

/** The parameter of the request that the error is about: as its field says, else the first that its message names. */
function namedParameter({ param, message }: ProviderAnswer, sent: RequestBody): string | undefined {
  const changeable = Object.keys(sent).filter((name) => !ESSENTIAL.has(name));
  const root = param?.split(/[.[]/)[0];
  if (root !== undefined && root !== '') return changeable.find((name) => name === root);
  const places = changeable
    .map((name) => ({ name, at: message.search(new RegExp(`\\b${name.replace(/\W/g, '\\$&')}\\b`)) }))
    .filter(({ at }) => at !== -1);
  return places.sort((left, right) => left.at - right.at)[0]?.name;
}

function firstCount(patterns: readonly RegExp[], text: string): number | undefined {
  for (const pattern of patterns) {
    const found = count(pattern.exec(text)?.[1]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function count(digits: string | undefined): number | undefined {
  const number = digits === undefined ? Number.NaN : Number(digits.replaceAll(',', ''));
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

/** An adaptation in words, for an event and for the command line. */
export function describeAdaptation(adaptation: Adaptation): string {
  switch (adaptation.kind) {
    case 'rename':
      return `it refuses ${adaptation.parameter}: ${adaptation.to} is sent instead`;
    case 'omit':
      return `it refuses ${adaptation.parameter}: the parameter is left out`;
    case 'no-stream':
      return 'it refuses to stream: each reply is asked for in one piece';
    case 'max-output':
      return `it allows at most ${adaptation.tokens} output tokens: no more are asked for`;
    case 'window':
      return `its window is ${adaptation.tokens} tokens for input and output: replies are asked to fit into it`;
  }
}
