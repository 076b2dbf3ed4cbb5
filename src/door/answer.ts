import type { CompletionResult } from '../engine/result.ts';
import { textWithin } from '../model/estimate-tokens.ts';

/** The answer of a run as a door sends it. */
export interface DoorAnswer {
  readonly text: string;
  /** `length`: it was cut at `maxOutputTokens`, or a limit ended the run and it is the best there was. */
  readonly finish: 'stop' | 'length';
}

/** The answer, within the tokens that the client allows for it. They are estimated. */
export function doorAnswer(
  { text, outcome }: Pick<CompletionResult<unknown>, 'text' | 'outcome'>,
  maxOutputTokens?: number,
): DoorAnswer {
  const sent = maxOutputTokens === undefined ? text : textWithin(text, maxOutputTokens);
  return { text: sent, finish: outcome === 'converged' && sent.length === text.length ? 'stop' : 'length' };
}

/** Instructions with the bound of the answer, so that the model keeps it itself. */
export function withAnswerBound(instructions: string | undefined, maxOutputTokens?: number): string | undefined {
  if (maxOutputTokens === undefined) return instructions;
  const bound = `The final answer may have at most ${maxOutputTokens} tokens; the rest of a longer one is cut off.`;
  return instructions === undefined ? bound : `${instructions}\n\n${bound}`;
}
