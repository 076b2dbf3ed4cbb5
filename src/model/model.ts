import { type Clock, steadyClock, systemClock } from '../clock.ts';
import { defined } from '../defined.ts';
import { attemptCall } from './attempt.ts';
import type { ProviderAdvice } from './attempt-setup.ts';
import type { AttemptWatch } from './attempt-watch.ts';
import type { Endpoint } from './endpoint/endpoint.ts';
import type { LanguageModel, Model, ModelPrice } from './port.ts';
import { redactKeys } from './redact.ts';

/** The parts of a {@link Model}. */
export interface ModelSetup {
  readonly id: string;
  readonly ref?: string;
  readonly provider: string;
  readonly endpoint?: string;
  /** Facts that its endpoint reports while it is used, such as refused parameters. */
  readonly learned?: Endpoint;
  readonly price: ModelPrice | undefined;
  readonly contextTokens: number | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock;
  readonly remote?: boolean;
  readonly local?: boolean;
  readonly reportsCost?: boolean;
  readonly prepare?: () => Promise<void>;
  readonly open: (watch: AttemptWatch) => LanguageModel | Promise<LanguageModel>;
  /** Removes what must not be seen from a provider's text. Default: whatever looks like a key. */
  readonly redact?: (text: string) => string;
  readonly advice?: ProviderAdvice;
  /** Keys that no reply may repeat. */
  readonly secrets?: readonly string[];
}

/** A {@link Model} over the AI SDK model that `open` returns. */
export function createModel(setup: ModelSetup): Model {
  const { id, provider, learned } = setup;
  const attempt = {
    modelId: id,
    clock: setup.clock ?? steadyClock(systemClock),
    open: setup.open,
    redact: setup.redact ?? redactKeys,
    ...defined({ advice: setup.advice, secrets: setup.secrets }),
  };
  const { ref, endpoint, local, reportsCost, remote, prepare } = setup;
  return {
    id,
    provider,
    ...defined({ ref, endpoint, local, reportsCost, remote, prepare }),
    get price() {
      return setup.price ?? learned?.price;
    },
    get contextTokens() {
      return learned?.contextTokens ?? setup.contextTokens;
    },
    get contextIsMeasured() {
      return learned?.contextTokens !== undefined;
    },
    get maxOutputTokens() {
      return learned?.maxOutputTokens;
    },
    async attempt(request) {
      const reply = await attemptCall(attempt, request);
      if (reply.usage.costUsd !== undefined) learned?.noteCost(reply.usage.costUsd, reply.usage);
      return reply;
    },
  };
}
