import { isObject, kindOf } from '../argument-checks.ts';
import { RlmError } from '../errors.ts';
import { BINARY, encodingOfLabel, type TextEncoding } from '../text-encoding.ts';

/** The encoding an option names; undefined when none does. */
export function encodingGiven(label: string | undefined): TextEncoding | undefined {
  return label === undefined ? undefined : lookUp(label);
}

/** `binary` is not one of the Encoding Standard: bytes are given. */
function lookUp(label: string): TextEncoding | undefined {
  return label.trim().toLowerCase() === BINARY ? BINARY : encodingOfLabel(label);
}

/**
 * @throws RlmError `context-invalid` for a value that is not a path
 */
export function checkPath(source: string, path: unknown): void {
  if (typeof path === 'string' && path !== '') return;
  throw wrongArgument(`${source} takes a path as a text, not ${path === '' ? 'an empty one' : kindOf(path)}`);
}

/** @throws RlmError `context-invalid` for options that no file can be read by */
export function checkFileOptions(source: string, options: unknown): void {
  if (!isObject(options)) {
    throw wrongArgument(
      `${source} takes its options as an object, such as { encoding: 'windows-1252' }, not ${kindOf(options)}`,
    );
  }
  const { as, encoding } = options;
  if (as !== undefined && as !== 'text' && as !== 'json' && as !== 'bytes') {
    throw wrongArgument(`${source} reads a file as 'text', as 'json' or as 'bytes', not as ${kindOf(as)}`);
  }
  if (encoding !== undefined && (typeof encoding !== 'string' || lookUp(encoding) === undefined)) {
    throw wrongArgument(
      `there is no encoding ${kindOf(encoding)}; give a label of the WHATWG Encoding Standard, such as utf-8, utf-16le, windows-1252 or shift_jis`,
    );
  }
}

/** @throws RlmError `context-invalid` for an amount that is not a whole number above 0 */
export function checkAmounts(source: string, amounts: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(amounts)) {
    if (value === undefined || (typeof value === 'number' && Number.isInteger(value) && value > 0)) continue;
    throw wrongArgument(`${source} takes ${name} as a whole number above 0, not ${kindOf(value)}`);
  }
}

/** An argument of a source that cannot be right. */
export function wrongArgument(what: string): RlmError {
  return new RlmError({ code: 'context-invalid', message: `The context cannot be used: ${what}.`, userAction: true });
}

/** Why there is no file of that path, where it was not meant to be one; undefined for a path. */
export function whyNoPath(path: string): string | undefined {
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(path))
    return 'it is a URL, which is fetched only where its caller asks for that: `--fetch` on the command line, `fromUrl` in the library';
  // A shell replaces it where it is not quoted.
  if (/^~(?:\/|$)/.test(path)) return 'a ~ in quotes is not the home folder: leave out the quotes, or write "$HOME"';
  return undefined;
}
