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
} as const;

/** A kind of file whose text, pages, tables or members come out of a converter. */
export type ConvertedKind = keyof typeof KINDS;

/** The name of a kind, for the model and for users, e.g. `Excel workbook`. */
export function kindName(kind: ConvertedKind): string {
  return KINDS[kind];
}

/** Whether a text names a kind. */
export function isConvertedKind(name: unknown): name is ConvertedKind {
  return typeof name === 'string' && Object.hasOwn(KINDS, name);
}
