/**
 * `npm run demo`: a question about six novels, answered by a recorded model over HTTP, and checked by plain code.
 * `npm run demo -- -m openai/gpt-5-mini` asks a real one, `--store DIR` keeps the run.
 *
 * @module
 */

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { colorsFor, isInteractive } from '../src/cli/screen/console.ts';
import { printError } from '../src/cli/screen/error-report.ts';
import { fullNarrator } from '../src/cli/watch/full-narrator.ts';
import { defined } from '../src/defined.ts';
import { sqliteStore } from '../src/index.ts';
import { runDemo } from './run.ts';

try {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', short: 'm' },
      'sub-model': { type: 'string' },
      novels: { type: 'string', default: fileURLToPath(new URL('novels', import.meta.url)) },
      repl: { type: 'string', default: 'pyodide' },
      store: { type: 'string' },
    },
  });
  const store = values.store === undefined ? undefined : sqliteStore(values.store);
  const { verified } = await runDemo({
    novels: values.novels,
    repl: values.repl as 'pyodide',
    out: process.stdout,
    interactive: isInteractive(process.stdout, process.env),
    narrator: fullNarrator({ colors: colorsFor(process.stdout, process.env), stream: process.stdout }),
    ...defined({ model: values.model, subModel: values['sub-model'], store }),
  });
  await store?.close();
  process.exitCode = verified ? 0 : 1;
} catch (error) {
  printError(error, process.stderr);
  process.exitCode = 1;
}
