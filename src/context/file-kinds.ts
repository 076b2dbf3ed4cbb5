/**
 * Binary files, known by their content. Their bytes are never given as if they were text.
 *
 * @module
 */

import type { ConvertedKind } from '../convert/kinds.ts';

/** A kind of file that is not text. */
export interface BinaryKind {
  /** The kind of document that a converter makes of it; absent where none does. */
  readonly converts?: ConvertedKind;
  /** With its article, e.g. `a PDF`. */
  readonly name: string;
  /**
   * Python that opens it with the standard library, where `%` is replaced by its bytes; absent where the standard
   * library cannot.
   */
  readonly opens?: string;
  /** The advice where nothing opens it. */
  readonly remedy?: string;
}

interface Magic extends BinaryKind {
  readonly bytes: string | readonly number[];
  readonly at?: number;
}

const ZIP = 'zipfile.ZipFile(io.BytesIO(%))';
const IMAGE = 'describe it in words, or extract its text with an OCR program such as tesseract';
const MEDIA = 'transcribe it to a text file first';
const TABLE = 'convert it to CSV or JSON first, for example with duckdb';
const UNPACK = 'unpack it first and give the files in it';
const PROGRAM = 'give its source or a disassembly as text';
const OFFICE = 'save it as .docx, .xlsx, .pptx or as text first';
// In memory no database has a write-ahead log: both version numbers of the file are set to 1, which says that it has none.
const SQLITE = 'db = sqlite3.connect(":memory:"); db.deserialize(%[:18] + b"\\x01\\x01" + %[20:])';

/** The first that matches counts. */
const MAGIC: readonly Magic[] = [
  {
    name: 'a PDF',
    bytes: '%PDF-',
    converts: 'pdf',
    remedy: 'convert it first, for example with pdftotext, and give the text',
  },
  { name: 'a gzip file', converts: 'gzip', bytes: [0x1f, 0x8b], opens: 'gzip.decompress(%)' },
  { name: 'a bzip2 file', bytes: 'BZh', opens: 'bz2.decompress(%)' },
  { name: 'an xz file', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], opens: 'lzma.decompress(%)' },
  { name: 'a zip archive', converts: 'zip', bytes: [0x50, 0x4b, 3, 4], opens: ZIP },
  { name: 'a zip archive', converts: 'zip', bytes: [0x50, 0x4b, 5, 6], opens: ZIP },
  { name: 'a SQLite database', converts: 'sqlite', bytes: 'SQLite format 3\0', opens: SQLITE },
  { name: 'a tar archive', converts: 'tar', bytes: 'ustar', at: 257, opens: 'tarfile.open(fileobj=io.BytesIO(%))' },
  {
    name: 'a zstd file',
    converts: 'zstd',
    bytes: [0x28, 0xb5, 0x2f, 0xfd],
    remedy: 'unpack it first, for example with zstd -d',
  },
  { name: 'an LZ4 file', bytes: [4, 0x22, 0x4d, 0x18], remedy: 'unpack it first, for example with lz4 -d' },
  { name: 'a 7-Zip archive', bytes: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], remedy: UNPACK },
  { name: 'a RAR archive', bytes: 'Rar!', remedy: UNPACK },
  { name: 'a Parquet file', converts: 'parquet', bytes: 'PAR1', remedy: TABLE },
  { name: 'an Arrow file', bytes: 'ARROW1', remedy: TABLE },
  { name: 'a Feather file', bytes: 'FEA1', remedy: TABLE },
  { name: 'an Avro file', bytes: 'Obj\u0001', remedy: TABLE },
  { name: 'an ORC file', bytes: 'ORC', remedy: TABLE },
  { name: 'an HDF5 file', bytes: [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a], remedy: TABLE },
  { name: 'a NumPy array', bytes: [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], remedy: TABLE },
  { name: 'a DuckDB database', bytes: 'DUCK', at: 8, remedy: TABLE },
  { name: 'an older Office file or an encrypted one', bytes: [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1], remedy: OFFICE },
  { name: 'a PNG image', converts: 'image', bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a], remedy: IMAGE },
  { name: 'a JPEG image', converts: 'image', bytes: [0xff, 0xd8, 0xff], remedy: IMAGE },
  { name: 'a GIF image', converts: 'image', bytes: 'GIF8', remedy: IMAGE },
  { name: 'a TIFF image', converts: 'image', bytes: [0x49, 0x49, 0x2a, 0], remedy: IMAGE },
  { name: 'a TIFF image', converts: 'image', bytes: [0x4d, 0x4d, 0, 0x2a], remedy: IMAGE },
  { name: 'an icon', converts: 'image', bytes: [0, 0, 1, 0], remedy: IMAGE },
  { name: 'a WebP image', converts: 'image', bytes: 'WEBP', at: 8, remedy: IMAGE },
  { name: 'a HEIC or AVIF image', converts: 'image', bytes: 'ftyphei', at: 4, remedy: IMAGE },
  { name: 'a HEIC or AVIF image', converts: 'image', bytes: 'ftypavi', at: 4, remedy: IMAGE },
  { name: 'a DjVu file', bytes: 'AT&TFORM', remedy: 'convert it first, for example with djvutxt, and give the text' },
  { name: 'a video or a recording', bytes: 'ftyp', at: 4, remedy: MEDIA },
  { name: 'a video or a recording', bytes: [0x1a, 0x45, 0xdf, 0xa3], remedy: MEDIA },
  { name: 'a recording', bytes: 'ID3', remedy: MEDIA },
  { name: 'a recording', bytes: 'OggS', remedy: MEDIA },
  { name: 'a recording', bytes: 'fLaC', remedy: MEDIA },
  { name: 'a recording or a video', bytes: 'RIFF', remedy: MEDIA },
  { name: 'a font', bytes: 'wOF', remedy: 'leave it out' },
  { name: 'a font', bytes: 'OTTO\0', remedy: 'leave it out' },
  { name: 'a program', bytes: [0x7f, 0x45, 0x4c, 0x46], remedy: PROGRAM },
  { name: 'a WebAssembly module', bytes: '\0asm', remedy: PROGRAM },
  { name: 'a Java class or a program', bytes: [0xca, 0xfe, 0xba, 0xbe], remedy: PROGRAM },
  { name: 'a program', bytes: [0xcf, 0xfa, 0xed, 0xfe], remedy: PROGRAM },
  { name: 'text in UTF-32', bytes: [0xff, 0xfe, 0, 0], remedy: 'convert it first, for example with iconv -t UTF-8' },
  { name: 'text in UTF-32', bytes: [0, 0, 0xfe, 0xff], remedy: 'convert it first, for example with iconv -t UTF-8' },
];

/** Letters that text could begin with as well: these count only where the rest is not text either. */
const AMBIGUOUS: ReadonlySet<string> = new Set([
  'BZh',
  'ORC',
  'ID3',
  'RIFF',
  'OggS',
  'fLaC',
  'GIF8',
  'wOF',
  'Rar!',
  'FEA1',
]);

/** Bytes from the end of a zip archive in which the names of its parts are looked for. */
export const ZIP_TAIL_BYTES = 65_536;

/** Parts by which kinds of zip archives are recognised. */
const ZIP_PARTS: readonly (BinaryKind & { readonly part: string })[] = [
  {
    part: 'word/document.xml',
    name: 'a Word document',
    converts: 'docx',
    opens: `${ZIP}; the text is in word/document.xml`,
  },
  {
    part: 'xl/workbook.xml',
    name: 'an Excel workbook',
    converts: 'xlsx',
    opens: `${ZIP}; cells are in xl/worksheets/*.xml, texts in xl/sharedStrings.xml`,
  },
  {
    part: 'ppt/presentation.xml',
    name: 'a PowerPoint presentation',
    converts: 'pptx',
    opens: `${ZIP}; slides are in ppt/slides/*.xml`,
  },
  {
    part: 'META-INF/container.xml',
    name: 'an EPUB book',
    converts: 'epub',
    opens: `${ZIP}; chapters are its .xhtml and .html files`,
  },
  { part: 'META-INF/manifest.xml', name: 'an OpenDocument file', opens: `${ZIP}; the text is in content.xml` },
];

/** {@link MAGIC} as bytes. */
const MARKS: readonly (readonly [mark: Buffer, kind: Magic])[] = MAGIC.map((kind) => [
  typeof kind.bytes === 'string' ? Buffer.from(kind.bytes, 'latin1') : Buffer.from(kind.bytes),
  kind,
]);

/**
 * The kind of file that begins with these bytes; undefined for everything else, text above all. `text` says that they
 * are valid text.
 */
export function magicKind(head: Buffer, text: boolean): BinaryKind | undefined {
  return MARKS.find(([mark, { bytes, at = 0 }]) => {
    if (head[at] !== mark[0] || (text && typeof bytes === 'string' && AMBIGUOUS.has(bytes))) return false;
    return head.subarray(at, at + mark.length).equals(mark);
  })?.[1];
}

/** The kinds of OpenDocument, by the end of the media type that such a file begins with. */
const OPEN_DOCUMENT = { spreadsheet: 'ods', text: 'odt', presentation: 'odp' } as const;

/** A zip archive by the names of its parts, which `tail` (its end) lists, and by the media type in its `head`. */
export function zipKind(kind: BinaryKind, tail: Buffer, head: Buffer): BinaryKind {
  const found = kind.opens === ZIP ? ZIP_PARTS.find(({ part }) => tail.includes(part)) : undefined;
  const type = /mimetypeapplication\/vnd\.oasis\.opendocument\.(spreadsheet|text|presentation)/.exec(
    head.toString('latin1', 0, 200),
  )?.[1] as keyof typeof OPEN_DOCUMENT | undefined;
  if (found?.part === 'META-INF/manifest.xml') {
    // Without its media type at the beginning, the converter finds out which.
    return tail.includes('content.xml')
      ? { ...found, converts: type === undefined ? 'odt' : OPEN_DOCUMENT[type] }
      : kind;
  }
  return found ?? kind;
}

/** Binary data that nothing here knows. */
export const UNKNOWN_BINARY: BinaryKind = { name: 'binary data', remedy: 'convert it to text first' };

/** With this share of control characters a sample is not text: text with colours or separators has fewer. */
const CONTROLS_IN_UTF8 = 0.2;
const CONTROLS_ELSEWHERE = 0.02;

/** Whether bytes without a known beginning are binary. `utf8`: they are valid UTF-8. */
export function isBinary(sample: Buffer, utf8: boolean): boolean {
  if (!utf8 && sample.includes(0)) return true;
  let controls = 0;
  for (let at = 0; at < sample.length; at += 1) if (isControl(sample[at] ?? 0)) controls += 1;
  return controls > sample.length * (utf8 ? CONTROLS_IN_UTF8 : CONTROLS_ELSEWHERE);
}

/** C0 without the marks of text: tab, line ends, form feed, backspace (man pages), escape (terminals). */
function isControl(byte: number): boolean {
  return (byte < 0x20 && !(byte >= 8 && byte <= 13) && byte !== 0x1b) || byte === 0x7f;
}
