import type { ModelPrice } from '../../model/index.ts';
import { listModels } from '../../model/model-list.ts';
import { EXIT } from '../exit-codes.ts';
import type { Console } from '../screen/console.ts';
import { compact } from '../screen/figures.ts';
import { columnsOf } from '../screen/layout.ts';
import { writeJson } from '../screen/terminal-text.ts';

/** Lists models of the price table whose id contains all words of `text`. Resolves with the exit code. */
export function printModels(
  text: readonly string[],
  { json }: { readonly json?: true },
  { stdout, stderr }: Console,
): number {
  const words = text.flatMap((part) => part.toLowerCase().split(/\s+/));
  const models = listModels().filter(({ id }) => words.every((word) => id.toLowerCase().includes(word)));
  if (json === true) {
    writeJson(
      stdout,
      models.map(({ id, price = null, contextTokens = null }) => ({ id, price, contextTokens })),
    );
  } else if (models.length > 0) {
    const rows = models.map(({ id, price, contextTokens }) => [
      id,
      contextTokens === undefined ? '?' : compact(contextTokens),
      priceWords(price),
    ]);
    stdout.write(`${modelLines(rows, columnsOf(stdout)).join('\n')}\n`);
  }
  if (models.length === 0) stderr.write(`${NONE}\n`);
  return EXIT.answered;
}

const HEAD: readonly string[] = ['MODEL', 'WINDOW', 'USD PER MILLION TOKENS'];
/** Columns of the window and of most prices, with the blanks before them. */
const FACT_COLUMNS = 38;

/** A table in which a few long ids do not push the facts of all others off the line: such an id pushes its own. */
function modelLines(rows: readonly (readonly string[])[], width: number): readonly string[] {
  const longest = Math.max(...rows.map(([id = '']) => id.length));
  const wide = Math.min(longest, Math.max(width - FACT_COLUMNS, 20));
  return [HEAD, ...rows].map(([id = '', window = '', price = '']) =>
    `${id.padEnd(wide)}  ${window.padEnd(6)}  ${price}`.trimEnd(),
  );
}

const NONE =
  'The price table lists no such model. Any model of a provider can be named: provider/model, or base-url#model; --price gives its price.';

function priceWords(price: ModelPrice | undefined): string {
  if (price === undefined) return 'unknown';
  const cached = price.cached === undefined ? '' : `, ${price.cached} cached`;
  return `${price.input} in, ${price.output} out${cached}`;
}
