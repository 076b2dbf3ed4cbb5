/**
 * Files that a converter makes documents of, as contexts use them.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { ConversionError } from '../convert/conversion-error.ts';
import { type ConvertedFile, convertFile } from '../convert/convert-file.ts';
import { type ConvertedKind, kindName } from '../convert/kinds.ts';
import type { FileValue } from '../repl/port.ts';

/** Converts a file. @throws ConversionError with a clause such as `it is a PDF that cannot be read: it is encrypted` */
export async function convertValue(file: FileValue, kind: ConvertedKind): Promise<ConvertedFile> {
  try {
    return await convertFile(file, kind);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    const name = kindName(kind);
    const article = /^[aeiou]/i.test(name) ? 'an' : 'a';
    throw new ConversionError(`it is ${article} ${name} that cannot be read: ${error.message}`, { cause: error });
  }
}

/** The text of a converted file as a value; undefined for a kind without text. */
export function textValue(converted: ConvertedFile, name: string): FileValue | undefined {
  const { text } = converted.conversion;
  if (text === undefined) return undefined;
  const path = converted.path(text.file);
  return { kind: 'file', path, bytes: converted.bytes(text.file), encoding: 'utf-8', skip: 0, as: 'text', name };
}

/** The one file that a gzip or zstd file holds; undefined for an archive. */
export function onlyMember({ conversion, path }: ConvertedFile): { readonly path: string } | undefined {
  const [first, ...rest] = conversion.members;
  return first?.path === '' && rest.length === 0 ? { path: path(first.file) } : undefined;
}

/** All text of a file; empty for a kind without text. */
export async function convertedText(file: FileValue, kind: ConvertedKind): Promise<string> {
  const { conversion, path } = await convertValue(file, kind);
  return conversion.text === undefined ? '' : await readFile(path(conversion.text.file), 'utf8');
}
