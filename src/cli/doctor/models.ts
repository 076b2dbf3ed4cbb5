import type { ModelPrice } from '../../model/index.ts';
import { listModels } from '../../model/model-list.ts';
import { EXIT } from '../exit-codes.ts';
import type { Console } from '../screen/console.ts';
import { compact } from '../screen/figures.ts';
import { columnsOf, table } from '../screen/layout.ts';
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
    stdout.write(`${table([['MODEL', 'WINDOW', 'USD PER MILLION TOKENS'], ...rows], columnsOf(stdout)).join('\n')}\n`);
  }
  if (models.length === 0) stderr.write(`${NONE}\n`);
  return EXIT.answered;
}

const NONE =
  'The price table lists no such model. Any model of a provider can be named: provider/model, or base-url#model; --price gives its price.';

function priceWords(price: ModelPrice | undefined): string {
  if (price === undefined) return 'unknown';
  const cached = price.cached === undefined ? '' : `, ${price.cached} cached`;
  return `${price.input} in, ${price.output} out${cached}`;
}
