import type { Clock } from '../clock.ts';
import type { AttemptWatch } from './attempt-watch.ts';
import type { LanguageModel } from './port.ts';

/** Facts about a provider for its error messages: which setting to look at. */
export interface ProviderAdvice {
  /** The environment variable that holds the key. */
  readonly keyVariable: string | undefined;
  readonly baseUrl: string;
  /** Other base URLs at which an API often is; empty for the provider's own. */
  readonly otherBaseUrls: readonly string[];
  /** The environment variable that names a proxy for this server. */
  readonly proxy: string | undefined;
  /** How to start the server, as a question and a command. */
  readonly start: string | undefined;
}

/** The parts that one attempt needs besides its request. */
export interface AttemptSetup {
  readonly modelId: string;
  readonly clock: Clock;
  /** The AI SDK model to call; models of our own registry bind their fetch to this attempt's watch. */
  readonly open: (watch: AttemptWatch) => LanguageModel | Promise<LanguageModel>;
  /** Removes what must not be seen, such as keys, from a provider's text. */
  readonly redact: (text: string) => string;
  readonly advice?: ProviderAdvice;
  /** Keys that no reply may repeat. */
  readonly secrets?: readonly string[];
}
