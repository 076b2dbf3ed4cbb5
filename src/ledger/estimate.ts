import { RlmError } from '../errors.ts';
import type { CallEstimate } from '../model/account.ts';
import type { Model } from '../model/port.ts';
import type { Node } from './node.ts';

/**
 * The estimate in whole tokens, rounded up.
 *
 * @throws TypeError for an invalid number of tokens: it would spoil every sum it enters.
 */
export function wholeTokens(estimate: CallEstimate): CallEstimate {
  const { model, inputTokens, maxOutputTokens } = estimate;
  if (isCount(inputTokens) && isCount(maxOutputTokens)) return estimate;
  const whole = { model, inputTokens: Math.ceil(inputTokens), maxOutputTokens: Math.ceil(maxOutputTokens) };
  if (isCount(whole.inputTokens) && isCount(whole.maxOutputTokens)) return whole;
  throw new TypeError(`An estimate needs two numbers of tokens, not ${inputTokens} and ${maxOutputTokens}.`);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** @throws RlmError `price-unknown` when a cost limit here or above cannot be kept for this model */
export function requirePrice(node: Node, model: Model): void {
  if (hasKnownCost(model)) return;
  for (const { cost } of node.path()) if (cost.limit !== Number.POSITIVE_INFINITY) throw priceUnknown(model);
}

/** Its price is known, or each reply says what it cost. */
export function hasKnownCost({ price, reportsCost }: Pick<Model, 'price' | 'reportsCost'>): boolean {
  return price !== undefined || reportsCost === true;
}

/** A limit on money needs the price of everything it pays for. */
export function priceUnknown({ id }: Pick<Model, 'id'>): RlmError {
  return new RlmError({
    code: 'price-unknown',
    message:
      `The limit maxCostUsd needs the price of every model, and that of ${id} is not known. ` +
      `Give it in prices: { '${id}': { input, output } } (USD per million tokens), or drop maxCostUsd.`,
    userAction: true,
    data: { model: id },
  });
}
