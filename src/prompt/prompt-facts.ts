import type { Limits } from '../limits.ts';
import type { ReplInfo } from '../repl/port.ts';
import type { ContextTraits } from './context-traits.ts';

/** The values and limits that are really in force; the prompt claims nothing else. */
export interface PromptFacts {
  readonly info: ReplInfo;
  readonly limits: Limits;
  /** Depth of the completion this prompt is for. */
  readonly depth: number;
  /** Of the context at hand: the prompt describes the helpers that fit it. */
  readonly traits: ContextTraits;
  /** The root model may read images. */
  readonly readsImages: boolean;
  /** Tokens of input and output that the sub-model takes; undefined when it is not known. */
  readonly subModelTokens: number | undefined;
  /** Variables that hold the context, without the always bound names. */
  readonly contextNames: readonly string[];
  readonly tools: readonly {
    readonly name: string;
    readonly description: string;
    readonly parameters: readonly string[];
  }[];
  /** Names of values the caller bound besides the tools. */
  readonly values: readonly string[];
  /** JSON Schema text of a typed answer, or `''` when it is typed by a schema that cannot be shown. */
  readonly outputSchema: string | undefined;
  readonly requireInspection: boolean;
}
