import { type Clock, systemClock } from '../clock.ts';
import { attemptCall } from './attempt.ts';
import type { AttemptWatch } from './attempt-watch.ts';
import type { LanguageModel, Model, ModelPrice } from './port.ts';

/** What a {@link Model} is made of. */
export interface ModelSetup {
  readonly id: string;
  readonly provider: string;
  readonly endpoint?: string;
  readonly price: ModelPrice | undefined;
  readonly contextTokens: number | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
  readonly remote?: boolean;
  readonly prepare?: () => Promise<void>;
  readonly open: (watch: AttemptWatch) => LanguageModel | Promise<LanguageModel>;
  /** Removes what must not be seen from a provider's text. Default: whatever looks like a key. */
  readonly redact?: (text: string) => string;
}

/** A {@link Model} over whatever `open` gives. */
export function createModel(setup: ModelSetup): Model {
  const { id, provider, price, contextTokens } = setup;
  const attempt = {
    modelId: id,
    clock: setup.clock ?? systemClock,
    open: setup.open,
    redact: setup.redact ?? redactKeys,
  };
  return {
    id,
    provider,
    ...(setup.endpoint === undefined ? {} : { endpoint: setup.endpoint }),
    price,
    contextTokens,
    ...(setup.remote === undefined ? {} : { remote: setup.remote }),
    ...(setup.prepare === undefined ? {} : { prepare: setup.prepare }),
    attempt: (request) => attemptCall(attempt, request),
  };
}

/** What keys of the known providers look like, whole or with stars in the middle, as error messages quote them. */
const KEY_SHAPES = /\b(?:sk|pk|rk|gsk|xai|key|AIza|Bearer )[-_A-Za-z0-9*.]{8,}/g;

/** Replaces whatever looks like a key. */
export function redactKeys(text: string): string {
  return text.replace(KEY_SHAPES, '[key]');
}
