import type { ArgumentSource, Position } from './argument-source.ts';
import { createLiteralReading } from './literal-reading.ts';
import { createSeveralLinesReading, readOwnLine } from './protected-reading.ts';

/**
 * Where an argument ends: `closed` at its closing parenthesis; `extra-arguments`: a quoted literal and a comma, with the
 * closing parenthesis if it stands on the same line; `unbalanced`: no reading finds a closing parenthesis.
 */
export type ArgumentReading =
  | { readonly type: 'closed'; readonly at: Position }
  | { readonly type: 'extra-arguments'; readonly at: Position | undefined }
  | { readonly type: 'unbalanced' };

/**
 * Reads an argument that begins at `start`, trying three readings in order: one literal, quotes protecting on the
 * command's own line, quotes protecting over several lines. The first that balances wins.
 *
 * @returns a function that reads on as far as the source goes; undefined while more lines are needed
 */
export function createArgumentReading(source: ArgumentSource, start: Position): () => ArgumentReading | undefined {
  const readLiteral = createLiteralReading(source, start);
  let readSeveralLines: ReturnType<typeof createSeveralLinesReading> | undefined;

  return () => {
    if (readSeveralLines === undefined) {
      const literal = readLiteral();
      if (literal === undefined) return undefined;
      if (literal.type === 'closed') return literal;
      if (literal.type === 'comma') return { type: 'extra-arguments', at: readOwnLine(source, start) };
      const ownLine = readOwnLine(source, start);
      if (ownLine !== undefined) return { type: 'closed', at: ownLine };
      readSeveralLines = createSeveralLinesReading(source, start);
    }
    const at = readSeveralLines();
    if (at === undefined) return undefined;
    return at === 'unbalanced' ? { type: 'unbalanced' } : { type: 'closed', at };
  };
}
