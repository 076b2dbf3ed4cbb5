import { exitCodeOfError } from '../exit-codes.ts';
import { errorFacts } from '../watch/result-json.ts';
import type { Console } from './console.ts';
import { printError } from './error-report.ts';
import { writeJson } from './json-output.ts';

/** Does the work of a command; what it fails with is told, as JSON too where that is asked for. Never rejects. */
export async function reported(
  { json }: { readonly json?: true },
  { stdout, stderr }: Console,
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (json === true) writeJson(stdout, { error: errorFacts(error) });
    printError(error, stderr);
    return exitCodeOfError(error);
  }
}
