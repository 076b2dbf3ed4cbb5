import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import type { Input } from './input.ts';
import type { Output } from './output.ts';
import { cellValue } from './values.ts';

const COMPRESSORS = {
  GZIP: (bytes: Uint8Array, size: number) => gunzipSync(bytes, { maxOutputLength: size + 1 }),
  BROTLI: (bytes: Uint8Array, size: number) => brotliDecompressSync(bytes, { maxOutputLength: size + 1 }),
  ZSTD: (bytes: Uint8Array, size: number) => zstdDecompressSync(bytes, { maxOutputLength: size + 1 }),
};

/** Rows that are read at once. */
const ROWS = 20_000;

/** The rows as one table; the text is the schema. */
export async function convertParquet(input: Input, output: Output): Promise<void> {
  const file = {
    byteLength: input.bytes,
    slice: (start: number, end: number = input.bytes): ArrayBuffer => {
      const bytes = input.readAt(start, end - start);
      const copy = new ArrayBuffer(bytes.length);
      new Uint8Array(copy).set(bytes);
      return copy;
    },
  };
  const metadata = await parquetMetadataAsync(file);
  const { children } = parquetSchema(metadata);
  const columns = children.map(({ element }) => element.name);
  output.text('Columns of the table `rows`:\n');
  for (const { element } of children) {
    output.text(`- ${element.name}: ${(element.logical_type?.type ?? element.type ?? 'group').toLowerCase()}\n`);
  }
  const rows = Number(metadata.num_rows);
  output.text(`${rows} rows in ${metadata.row_groups.length} row groups\n`);
  output.facts({ rows, rowGroups: metadata.row_groups.length, createdBy: metadata.created_by });
  const table = output.table('rows', columns);
  for (let start = 0; start < rows; start += ROWS) {
    const rowEnd = Math.min(rows, start + ROWS);
    const found = await parquetReadObjects({ file, metadata, compressors: COMPRESSORS, rowStart: start, rowEnd });
    for (const row of found) table.row(columns.map((column) => cellValue(row[column])));
  }
  table.end();
}
