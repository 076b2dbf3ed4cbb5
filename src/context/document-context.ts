import { isConvertedKind, kindName } from '../convert/kinds.ts';
import type { FileValue } from '../repl/port.ts';
import { convertValue, textValue } from './converted-files.ts';
import { documentReader, factsOf } from './document-reader.ts';
import { byteWords, shownName } from './file-words.ts';
import type { LoadedContext } from './input.ts';
import { previewOfFile } from './preview-of-file.ts';

/** Tables and columns that the model is shown. */
const TABLES = 12;
const COLUMNS = 24;

/** One file that a converter makes a document of: its text, with pages, tables and facts as attributes. */
export async function documentContext(file: FileValue, name: string): Promise<LoadedContext> {
  if (!isConvertedKind(file.converts)) throw new Error(`${file.path} is not converted`);
  const converted = await convertValue(file, file.converts);
  const { conversion } = converted;
  const text = textValue(converted, name);
  const facts = factsOf(converted);
  const { characters = 0, lines } = conversion.text ?? {};
  const kind = kindName(file.converts);
  return {
    value: { kind: 'document', id: '', path: name, file, facts, ...(text !== undefined && { text }) },
    type: text === undefined ? 'document' : 'str',
    size: text === undefined ? file.bytes : characters,
    unit: text === undefined ? 'bytes' : 'characters',
    ...(lines !== undefined && { lines }),
    preview: text === undefined ? undefined : await previewOfFile(text),
    description: `${text === undefined ? '' : 'text of '}\`${shownName(name)}\` (${kind}, ${byteWords(file.bytes)})`,
    shape: attributesOf(conversion),
    notes: conversion.notes.map((note) => ({ kind: 'left-out', text: `${shownName(name)}: ${note}` })),
    // A document without text has something to look at all the same.
    empty: text !== undefined && characters === 0 && conversion.tables.length === 0 && file.bytes === 0,
    projection: documentReader([{ path: name, file }]),
  };
}

type Conversion = Awaited<ReturnType<typeof convertValue>>['conversion'];

/** e.g. `with .pages (300 texts), .tables (2): …`. */
function attributesOf({ title, meta, pages, tables }: Conversion): string {
  const parts = [
    ...(title === undefined ? [] : [`\`.title\` ${JSON.stringify(shownName(title))}`]),
    ...(pages === undefined ? [] : [`\`.pages\` (list of ${pages.length} str)`]),
    ...(tables.length === 0 ? [] : [tableWords(tables)]),
    ...(Object.keys(meta).length === 0 ? [] : [`\`.meta\` (${Object.keys(meta).map(shownName).join(', ')})`]),
  ];
  return parts.length === 0 ? '' : `it has ${parts.join(', ')}`;
}

function tableWords(tables: Conversion['tables']): string {
  const shown = tables.slice(0, TABLES).map(({ name, columns, rows }) => {
    const names = columns.slice(0, COLUMNS).map((column) => `\`${shownName(column)}\``);
    const all = columns.length > COLUMNS ? [...names, `… ${columns.length} in all`] : names;
    return `\`${shownName(name)}\` of ${rows} ${rows === 1 ? 'row' : 'rows'} with ${all.join(', ')}`;
  });
  const more = tables.length > TABLES ? '; …' : '';
  return `\`.tables\` (${tables.length}, each a list of dicts, by number or name: ${shown.join('; ')}${more})`;
}
