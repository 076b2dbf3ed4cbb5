/**
 * The converter's process: reads one file from descriptor 3, writes its conversion to descriptor 1.
 *
 * @module
 */
import { isConvertedKind } from '../kinds.ts';
import { convert } from './convert.ts';
import { openInput, Refusal } from './input.ts';
import { Output } from './output.ts';

const INPUT = 3;
const OUTPUT = 1;

const [wanted = '', path] = process.argv.slice(2);
const [kind, part] = wanted.split(':');
if (!isConvertedKind(kind)) throw new Error(`there is no kind ${String(kind)}`);
const output = new Output(OUTPUT);
try {
  await convert({ kind, ...(part !== undefined && { part: Number(part) }) }, openInput(INPUT, path), output);
  output.done(kind);
} catch (error) {
  output.refused(error instanceof Refusal ? error.message : `it is damaged: ${firstLine(error)}`);
}
process.exit(0);

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (message.split('\n')[0] ?? '').replace(/\.$/, '') || 'no reason was given';
}
