import { type Command, InvalidArgumentError } from 'commander';
import { addEngineOptions } from '../options/ask-options.ts';
import { addStoreOption } from '../options/store.ts';
import { count, each } from '../options/values.ts';
import { addWorkersOption } from '../options/workers.ts';
import type { Surroundings } from '../runs/commands.ts';
import { reported } from '../screen/error-report.ts';
import type { ServeOptions } from './serve.ts';

/** The port without `--port`. */
const DEFAULT_PORT = 8_000;

/** Adds `fathom serve`. The server is loaded on demand. */
export function addServeCommand(fathom: Command, { console, end }: Surroundings): void {
  const command = fathom
    .command('serve')
    .description('serve the API of OpenAI, and one of its own, over HTTP; see docs/server.md');
  addWorkersOption(addStoreOption(addEngineOptions(command)))
    .option('--host <address>', 'address to listen on; another than loopback needs a key', '127.0.0.1')
    .option('--port <n>', 'port to listen on; 0: any free one', count, DEFAULT_PORT)
    .option('--keys <file>', 'JSON object of bearer keys by name, readable by you alone (default: FATHOM_SERVER_KEY)')
    .option('--alias <name=ref>', 'a further model that clients may name', each(alias))
    .option('--root <dir...>', 'folders that the paths of a run may name (default: none)')
    .option('--allow-host <name...>', 'further names in the Host header')
    .option('--allow-origin <origin...>', 'origins of web pages that may use the server')
    .option('--max-runs-per-key <n>', 'runs of one key at once (default: 64)', count)
    .action(async (options: ServeOptions) => {
      const { serve } = await import('./serve.ts');
      end(await reported({}, console, () => serve(options, { console, signals: process })));
    });
}

/** Parses `NAME=REF`. */
function alias(text: string): readonly [name: string, ref: string] {
  const [, name, ref] = /^([\w.:/-]{1,64})=(.+)$/.exec(text) ?? [];
  if (name === undefined || ref === undefined) throw new InvalidArgumentError('It must be NAME=provider/model.');
  return [name, ref];
}
