import { RlmError } from '../errors.ts';
import type { Limits } from '../limits.ts';

/** The limits a ledger enforces; one that is absent or `undefined` does not bind. */
export type LedgerLimits = Partial<Pick<Limits, 'maxSubCalls' | 'maxTokens' | 'maxCostUsd' | 'maxDurationMs'>>;

/** The resources that a ledger counts. */
export type Resource = 'calls' | 'tokens' | 'cost' | 'time';

/** The state of a resource, in its own unit: calls, tokens, US dollars, milliseconds. */
export interface BudgetState {
  readonly resource: Resource;
  /** `Infinity` without a limit. */
  readonly limit: number;
  /** Settled. May pass the limit by what providers counted beyond the estimates. */
  readonly spent: number;
  /** Held for calls in flight. */
  readonly reserved: number;
  /** Kept back for the completion's last call. */
  readonly kept: number;
  /** The amount that is not spent, reserved or kept for a last call. Never negative. */
  readonly left: number;
}

/** The limit that bounds each resource. */
export const LIMIT_OF: Readonly<Record<Resource, keyof LedgerLimits>> = {
  calls: 'maxSubCalls',
  tokens: 'maxTokens',
  cost: 'maxCostUsd',
  time: 'maxDurationMs',
};

/** The facts of a refusal. */
export interface BudgetErrorOptions extends BudgetState {
  /** The most that the refused call could have needed, in the resource's unit. */
  readonly needed: number;
}

/**
 * A call was refused before it was sent, because a limit of its completion or of one above it does not allow it.
 * `data` holds `resource`, `limitName`, `limit`, `spent`, `reserved`, `kept`, `left` and `needed`.
 */
export class BudgetError extends RlmError {
  readonly resource: Resource;

  constructor(options: BudgetErrorOptions) {
    const { resource, limit, spent, reserved, kept, left, needed } = options;
    super({
      code: 'budget',
      message: explain(options),
      budget: true,
      data: { resource, limitName: LIMIT_OF[resource], limit, spent, reserved, kept, left, needed },
    });
    this.resource = resource;
  }

  /** True for every budget error, also across two copies of the package in one process. */
  static override isInstance(error: unknown): error is BudgetError {
    return RlmError.isInstance(error) && 'resource' in error;
  }
}

function explain({ resource, limit, spent, reserved, kept, left, needed }: BudgetErrorOptions): string {
  const name = LIMIT_OF[resource];
  const of = (value: number) => `${amount(resource, value)} of ${amount(resource, limit)} ${UNIT[resource]} (${name})`;
  if (resource === 'calls') {
    return `No sub-call is left: ${of(spent + reserved)} are used or under way. Work with what there is, or raise ${name}.`;
  }
  const keeps = kept > 0 ? ` and ${amount(resource, kept)} are kept for the last answer` : '';
  if (resource === 'time') return `The time is up: ${of(spent)} have passed${keeps}. Raise ${name} to allow more.`;
  return (
    `The call was not sent: it could need ${amount(resource, needed)} ${UNIT[resource]}, and ${amount(resource, left)} ` +
    `are left; ${of(spent)} are spent${keeps}. Send less, ask for a shorter reply, or raise ${name}.`
  );
}

const UNIT = { calls: 'sub-calls', tokens: 'tokens', cost: 'USD', time: 's' } as const;

function amount(resource: Resource, value: number): string {
  if (resource === 'cost') return String(Number(value.toFixed(6)));
  return String(resource === 'time' ? Math.round(value / 100) / 10 : value);
}
