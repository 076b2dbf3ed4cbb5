import type { ConvertedKind } from '../kinds.ts';
import type { Input } from './input.ts';
import type { Output } from './output.ts';

/** Converts a file of one kind. Each converter is loaded when it is needed. */
type Converter = (input: Input, output: Output, part?: number) => Promise<void>;

const CONVERTERS: Readonly<Record<ConvertedKind, () => Promise<Converter>>> = {
  pdf: async () => (await import('./pdf.ts')).convertPdf,
  docx: async () => (await import('./docx.ts')).convertDocx,
  pptx: async () => (await import('./pptx.ts')).convertPptx,
  xlsx: async () => (await import('./xlsx.ts')).convertXlsx,
  ods: async () => (await import('./open-document.ts')).convertOpenDocument,
  odt: async () => (await import('./open-document.ts')).convertOpenDocument,
  odp: async () => (await import('./open-document.ts')).convertOpenDocument,
  epub: async () => (await import('./epub.ts')).convertEpub,
  html: async () => (await import('./html.ts')).convertHtml,
  eml: async () => (await import('./mail.ts')).convertMail,
  mbox: async () => (await import('./mail.ts')).convertMailbox,
  notebook: async () => (await import('./notebook.ts')).convertNotebook,
  parquet: async () => (await import('./parquet.ts')).convertParquet,
  sqlite: async () => (await import('./sqlite.ts')).convertSqlite,
  zip: async () => (await import('./archives.ts')).convertZip,
  tar: async () => (await import('./archives.ts')).convertTar,
  gzip: async () => (await import('./archives.ts')).convertGzip,
  zstd: async () => (await import('./archives.ts')).convertZstd,
  image: async () => (await import('./image.ts')).convertImage,
};

/** A file, or one part of its table. */
interface Wanted {
  readonly kind: ConvertedKind;
  readonly part?: number;
}

/** @throws Refusal, or the error of the parser for a file that it cannot read */
export async function convert(wanted: Wanted, input: Input, output: Output): Promise<void> {
  const converter = await CONVERTERS[wanted.kind]();
  await converter(input, output, wanted.part);
}
