import type { CallUsage, ModelPrice } from '../port.ts';
import { asObject, parseJson } from '../provider-answer.ts';
import type { Adaptation, RequestBody } from './refusal.ts';

/**
 * Facts about one model at one URL that no table has, learned while it is used: refused parameters, sizes, cost. Kept
 * in memory with its model, for the life of an `Rlm`.
 */
export interface Endpoint {
  /** Tokens of input and output together. */
  contextTokens: number | undefined;
  /** Most output tokens the endpoint allows. */
  maxOutputTokens: number | undefined;
  /** An upper estimate from costs that the provider reported; undefined until it reported one. */
  readonly price: ModelPrice | undefined;
  /** The body to send for a body as the SDK writes it. */
  adapt(body: string): string;
  /** Adds an adaptation; false when it was known. */
  learn(adaptation: Adaptation): boolean;
  /** Notes a cost in US dollars that the provider reported for a call. */
  noteCost(costUsd: number, usage: CallUsage): void;
}

/** A price derived from one call's cost: output tokens are taken for this many times as dear as input tokens. */
const OUTPUT_TO_INPUT = 4;
/** How far above the reported cost a derived price lies: it reserves money for calls of another mix of tokens. */
const PRICE_MARGIN = 2;

/** An endpoint of which nothing is known yet. */
export function createEndpoint(): Endpoint {
  const renamed = new Map<string, string>();
  const omitted = new Set<string>();
  let streams = true;
  let price: ModelPrice | undefined;

  const endpoint: Endpoint = {
    contextTokens: undefined,
    maxOutputTokens: undefined,
    get price() {
      return price;
    },
    adapt(body) {
      if (streams && renamed.size === 0 && omitted.size === 0) return body;
      const given = parseBody(body);
      return given === undefined ? body : JSON.stringify(adapted(given));
    },
    learn(adaptation) {
      switch (adaptation.kind) {
        case 'rename':
          return learnRename(adaptation.parameter, adaptation.to);
        case 'omit':
          return grows(omitted, adaptation.parameter);
        case 'no-stream': {
          const news = streams;
          streams = false;
          return news;
        }
        case 'max-output':
          return lower(endpoint, 'maxOutputTokens', adaptation.tokens);
        case 'window':
          return lower(endpoint, 'contextTokens', adaptation.tokens);
      }
    },
    noteCost(costUsd, { inputTokens, outputTokens }) {
      const weight = inputTokens + OUTPUT_TO_INPUT * outputTokens;
      if (!(costUsd >= 0) || weight <= 0) return;
      const input = Math.max(price?.input ?? 0, (costUsd / weight) * 1_000_000 * PRICE_MARGIN);
      price = { input, output: input * OUTPUT_TO_INPUT };
    },
  };

  /** A name that was refused as the new name of another is refused under both: the parameter is left out. */
  function learnRename(parameter: string, to: string): boolean {
    if (renamed.get(parameter) === to) return false;
    if (renamed.get(to) === parameter) return grows(omitted, to);
    renamed.set(parameter, to);
    return true;
  }

  function adapted(body: RequestBody): RequestBody {
    const entries = Object.entries(body)
      .filter(([name]) => !omitted.has(name) && (streams || name !== 'stream_options'))
      .map(([name, value]) => [renamed.get(name) ?? name, name === 'stream' ? streams : value]);
    return Object.fromEntries(entries.filter(([name]) => !omitted.has(String(name)))) as RequestBody;
  }

  return endpoint;
}

function grows(set: Set<string>, value: string): boolean {
  const size = set.size;
  return set.add(value).size > size;
}

function lower(endpoint: Endpoint, field: 'contextTokens' | 'maxOutputTokens', tokens: number): boolean {
  const known = endpoint[field];
  if (known !== undefined && known <= tokens) return false;
  endpoint[field] = tokens;
  return true;
}

/** A request body as an object; undefined when it is not one. */
export function parseBody(body: string): RequestBody | undefined {
  return asObject(parseJson(body));
}
