import { boundDocument, EXPORT_WARN_BYTES, withoutContent } from '../../view/bound-document.ts';
import { readPageFiles } from '../../view/page-files.ts';
import { exportedHtml } from '../../view/page-html.ts';
import { openAnswerFile } from '../answer/answer-file.ts';
import { piecesOf } from '../answer/pieces.ts';
import { EXIT } from '../exit-codes.ts';
import type { StoreOptions } from '../options/store.ts';
import type { Console } from '../screen/console.ts';
import { forTerminal } from '../screen/terminal-text.ts';
import { openDocument } from './open-document.ts';

/** The options of `fathom export`. */
export interface ExportOptions extends StoreOptions {
  /** Default: `fathom-<id>.html`. */
  readonly output?: string;
  readonly force?: true;
  /** False: figures and structure only. */
  readonly content: boolean;
}

const MIB = 1024 * 1024;

/** Writes one run as one file that opens without a server. Resolves with the exit code. */
export async function exportRun(given: string, options: ExportOptions, { stderr }: Console): Promise<number> {
  const whole = await openDocument(given, options.store);
  const page = readPageFiles();
  const document = boundDocument(options.content ? whole : withoutContent(whole));
  const { output = `fathom-${document.facts.id}.html`, force } = options;
  const html = exportedHtml(document, page);
  await using file = await openAnswerFile({ output, ...(force !== undefined && { force }) }, 'page');
  await file?.write(piecesOf(html));
  const bytes = Buffer.byteLength(html);
  const size = `${(bytes / MIB).toFixed(1)} MB`;
  const note = (line: string): void => void stderr.write(`${forTerminal(line)}\n`);
  const holds = options.content
    ? 'the question, the answer, all code and output, and every prompt and reply that is kept: anyone who gets the file can read them. --no-content leaves them out.'
    : 'figures, models, times and outcomes, and no text of the run.';
  note(`Wrote ${output} (${size}). It holds ${holds}`);
  if (bytes > EXPORT_WARN_BYTES) note(`It is large (${size}): small machines open it slowly.`);
  if (document.leftOut !== undefined && options.content) note(`Left out: ${document.leftOut}.`);
  return EXIT.answered;
}
