/**
 * The kinds of files that a converter makes a document of, and their names.
 *
 * @module
 */

const KINDS = {
  pdf: 'PDF',
  docx: 'Word document',
  pptx: 'PowerPoint presentation',
  xlsx: 'Excel workbook',
  ods: 'OpenDocument spreadsheet',
  odt: 'OpenDocument text',
  odp: 'OpenDocument presentation',
  epub: 'EPUB book',
  html: 'HTML page',
  eml: 'e-mail',
  mbox: 'mailbox',
  notebook: 'Jupyter notebook',
  parquet: 'Parquet file',
  sqlite: 'SQLite database',
  zip: 'zip archive',
  tar: 'tar archive',
  gzip: 'gzip file',
  zstd: 'zstd file',
  image: 'image',
} as const;

/** A kind of file whose text, pages, tables or members come out of a converter. */
export type ConvertedKind = keyof typeof KINDS;

/** Kinds that are other files put together: alone, such a file is a list of the documents in it. */
export const ARCHIVES: ReadonlySet<ConvertedKind> = new Set(['mbox', 'zip', 'tar', 'gzip', 'zstd']);

/** The name of a kind, for the model and for users, e.g. `Excel workbook`. */
export function kindName(kind: ConvertedKind): string {
  return KINDS[kind];
}

/** Whether a text names a kind. */
export function isConvertedKind(name: unknown): name is ConvertedKind {
  return typeof name === 'string' && Object.hasOwn(KINDS, name);
}
