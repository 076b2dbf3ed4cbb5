import { readFileSync, statSync } from 'node:fs';
import { invalidOption, isObject } from '../../argument-checks.ts';
import { messageOf } from '../../errors.ts';
import type { Console } from '../screen/console.ts';

/** Name of the key in `FATHOM_SERVER_KEY`. */
const OWNER = 'owner';

/**
 * The bearer keys of the server: those of `--keys`, else the one in `FATHOM_SERVER_KEY`. They are not options, because every
 * user of the machine sees a command line.
 *
 * @throws RlmError `invalid-option` for a file that others can read, or that has another form
 */
export function serverKeys(file: string | undefined, env: Console['env']): Readonly<Record<string, string>> {
  const key = env.FATHOM_SERVER_KEY?.trim() ?? '';
  if (file === undefined) return key === '' ? {} : { [OWNER]: key };
  const keys = parsed(file, read(file));
  if (!isObject(keys) || Object.keys(keys).length === 0 || !Object.values(keys).every((k) => typeof k === 'string')) {
    throw unusable(file, 'it must hold one JSON object of keys by name, such as { "owner": "…" }');
  }
  return keys as Readonly<Record<string, string>>;
}

function read(file: string): string {
  try {
    const { mode } = statSync(file);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw unusable(file, `other users can read it (mode ${(mode & 0o777).toString(8)}): chmod 600`);
    }
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === undefined || 'userAction' in (error as object)
      ? error
      : unusable(file, messageOf(error));
  }
}

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which holds keys.
    throw unusable(file, 'it is not JSON');
  }
}

function unusable(file: string, why: string): Error {
  return invalidOption(`The file ${file} of --keys cannot be used: ${why}`);
}
