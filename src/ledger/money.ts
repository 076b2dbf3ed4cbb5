/**
 * Money as whole nano-dollars (1e-9 USD), so that sums are exact up to nine million dollars. A call's cost is rounded
 * once; everything after that is integer arithmetic.
 *
 * @module
 */
import type { CallUsage, ModelPrice } from '../model/port.ts';

const NANO_PER_USD = 1e9;
/** A price in USD per million tokens is this many pico-dollars per token; rounded to whole ones. */
const PICO_PER_TOKEN = 1e6;
const PICO_PER_NANO = 1e3;

/** Whole nano-dollars. `Infinity` stays. */
export function nanoDollars(usd: number): number {
  return Math.round(usd * NANO_PER_USD);
}

/** US dollars. */
export function usd(nano: number): number {
  return nano / NANO_PER_USD;
}

/** The highest cost of these tokens, in nano-dollars, rounded up. */
export function ceilingCost(price: ModelPrice, tokens: { readonly input: number; readonly output: number }): number {
  const pico = tokens.input * inputCeiling(price) + tokens.output * perToken(price.output);
  return Math.ceil(pico / PICO_PER_NANO);
}

/**
 * The cost of a call in nano-dollars: as its provider reported it, else by the price; undefined when both are unknown.
 */
export function settledCost(price: ModelPrice | undefined, usage: CallUsage): number | undefined {
  if (usage.costUsd !== undefined) return nanoDollars(usage.costUsd);
  return price === undefined ? undefined : exactCost(price, usage);
}

/** The cost of these tokens, in nano-dollars, rounded to the nearest. Never above {@link ceilingCost} of the same tokens. */
export function exactCost(price: ModelPrice, usage: CallUsage): number {
  const cached = Math.min(usage.cachedTokens ?? 0, usage.inputTokens);
  const written = Math.min(usage.cacheWriteTokens ?? 0, usage.inputTokens - cached);
  const pico =
    (usage.inputTokens - cached - written) * perToken(price.input) +
    cached * perToken(price.cached ?? price.input) +
    written * perToken(price.cacheWrite ?? price.input) +
    usage.outputTokens * perToken(price.output);
  return Math.round(pico / PICO_PER_NANO);
}

/** The most output tokens for which {@link ceilingCost} stays within `nano`. */
export function outputTokensFor(price: ModelPrice, inputTokens: number, nano: number): number {
  const pico = nano * PICO_PER_NANO - inputTokens * inputCeiling(price);
  if (pico < 0) return 0;
  const output = perToken(price.output);
  return output === 0 ? Number.POSITIVE_INFINITY : Math.floor(pico / output);
}

function perToken(usdPerMillion: number): number {
  return Math.round(usdPerMillion * PICO_PER_TOKEN);
}

function inputCeiling(price: ModelPrice): number {
  return perToken(Math.max(price.input, price.cached ?? 0, price.cacheWrite ?? 0));
}
