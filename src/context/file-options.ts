import { isObject, kindOf } from '../argument-checks.ts';
import { RlmError } from '../errors.ts';
import type { FileValue } from '../repl/port.ts';

type Encoding = FileValue['encoding'];

/** Encodings by their names in lower case, without marks between the letters. */
const ENCODINGS: ReadonlyMap<string, Encoding | 'utf-16'> = new Map<string, Encoding | 'utf-16'>([
  ['utf8', 'utf-8'],
  ['utf16', 'utf-16'],
  ['utf16le', 'utf-16le'],
  ['utf16be', 'utf-16be'],
  ['latin1', 'latin-1'],
  ['iso88591', 'latin-1'],
]);

/** The encoding of a file: as named, else as marked, else UTF-8. `utf-16` alone is as marked, else little endian. */
export function encodingOf(named: string | undefined, marked: Encoding | undefined): Encoding {
  const encoding = named === undefined ? undefined : lookUp(named);
  if (encoding === undefined) return marked ?? 'utf-8';
  if (encoding !== 'utf-16') return encoding;
  return marked === 'utf-16be' ? marked : 'utf-16le';
}

function lookUp(name: string): Encoding | 'utf-16' | undefined {
  return ENCODINGS.get(name.toLowerCase().replaceAll(/[-_ ]/g, ''));
}

/** @throws RlmError `context-invalid` for what is no path */
export function checkPath(source: string, path: unknown): void {
  if (typeof path === 'string' && path !== '') return;
  throw wrongArgument(`${source} takes a path as a text, not ${path === '' ? 'an empty one' : kindOf(path)}`);
}

/** @throws RlmError `context-invalid` for options that no file can be read by */
export function checkFileOptions(source: string, options: unknown): void {
  if (!isObject(options)) {
    throw wrongArgument(
      `${source} takes its options as an object, such as { encoding: 'latin-1' }, not ${kindOf(options)}`,
    );
  }
  const { as, encoding } = options;
  if (as !== undefined && as !== 'text' && as !== 'json') {
    throw wrongArgument(`${source} reads a file as 'text' or as 'json', not as ${kindOf(as)}`);
  }
  if (encoding !== undefined && (typeof encoding !== 'string' || lookUp(encoding) === undefined)) {
    throw wrongArgument(
      `${source} reads utf-8, utf-16le, utf-16be and latin-1, and not the encoding ${kindOf(encoding)}`,
    );
  }
}

/** An argument of a source that cannot be right. */
export function wrongArgument(what: string): RlmError {
  return new RlmError({ code: 'context-invalid', message: `The context cannot be used: ${what}.`, userAction: true });
}

/** Why there is no file of that path, where it was not meant to be one; undefined for a path. */
export function whyNoPath(path: string): string | undefined {
  return /^[a-z][a-z\d+.-]+:\/\//i.test(path)
    ? 'it is a URL, and nothing is fetched: save it to a file first'
    : undefined;
}
