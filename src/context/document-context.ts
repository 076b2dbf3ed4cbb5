import type { ConvertedFile } from '../convert/convert-file.ts';
import { kindName } from '../convert/kinds.ts';
import type { FileValue } from '../repl/port.ts';
import { textValue } from './converted-files.ts';
import { convertedFacts, documentReader } from './document-reader.ts';
import { byteWords, shownName } from './file-words.ts';
import type { LoadedContext } from './input.ts';
import type { FileUse } from './large/context-room.ts';
import { READ_ON_DEMAND } from './large/large-text.ts';
import { memberDocuments } from './member-documents.ts';
import { previewOfFile } from './preview-of-file.ts';

/** Tables and columns that the model is shown. */
const TABLES = 12;
const COLUMNS = 24;

/** One file that a converter makes a document of: its text, with pages, tables and facts as attributes. */
export async function documentContext(
  file: FileValue,
  converted: ConvertedFile,
  { name, room }: Required<FileUse>,
): Promise<LoadedContext> {
  const { conversion } = converted;
  const text = textValue(converted, name);
  const { characters = 0, lines = 0 } = conversion.text ?? {};
  const onDemand = text !== undefined && !room.take(text.bytes === characters ? characters : 2 * characters);
  const { documents } = await memberDocuments(converted);
  const facts = convertedFacts(converted, { documents, large: onDemand ? { characters, lines } : null });
  const kind = kindName(conversion.kind);
  return {
    value: { kind: 'document', id: '', path: name, file, facts, ...(text !== undefined && !onDemand && { text }) },
    type: text === undefined ? 'document' : onDemand ? 'lazy text' : 'str',
    ...(onDemand && { onDemand }),
    size: text === undefined ? file.bytes : characters,
    unit: text === undefined ? 'bytes' : 'characters',
    ...(text !== undefined && { lines }),
    preview: text === undefined ? undefined : await previewOfFile(text),
    description: `${text === undefined ? '' : 'text of '}\`${shownName(name)}\` (${kind}, ${byteWords(file.bytes)})`,
    shape: [attributesOf(conversion), ...(onDemand ? [READ_ON_DEMAND] : [])].filter((part) => part !== '').join('; '),
    notes: conversion.notes.map((note) => ({ kind: 'left-out', text: `${shownName(name)}: ${note}` })),
    // A document without text has something to look at all the same.
    empty: text !== undefined && characters === 0 && conversion.tables.length === 0 && file.bytes === 0,
    projection: documentReader([{ path: name, file }], room.wholeTextBytes),
  };
}

type Conversion = ConvertedFile['conversion'];

/** e.g. `with .pages (300 texts), .tables (2): …`. */
function attributesOf({ title, meta, pages, tables, members }: Conversion): string {
  const parts = [
    ...(title === undefined ? [] : [`\`.title\` ${JSON.stringify(shownName(title))}`]),
    ...(pages === undefined ? [] : [`\`.pages\` (list of ${pages.length} str)`]),
    ...(tables.length === 0 ? [] : [tableWords(tables)]),
    ...(members.length === 0 ? [] : [`\`.documents\` (${members.length} attached)`]),
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
