import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import {
  type AsyncBuffer,
  type DecodedArray,
  type FileMetaData,
  parquetMetadataAsync,
  parquetScan,
  parquetSchema,
} from 'hyparquet';
import { type Input, Refusal } from './input.ts';
import type { Output, TableOutput } from './output.ts';
import { cellValue } from './values.ts';

const COMPRESSORS = {
  GZIP: (bytes: Uint8Array, size: number) => gunzipSync(bytes, { maxOutputLength: size + 1 }),
  BROTLI: (bytes: Uint8Array, size: number) => brotliDecompressSync(bytes, { maxOutputLength: size + 1 }),
  ZSTD: (bytes: Uint8Array, size: number) => zstdDecompressSync(bytes, { maxOutputLength: size + 1 }),
};

/** Cells that are decoded at once: some 60 MB. */
const CELLS = 1_000_000;
/** Rows that are decoded at once, at most and at least. */
const [MOST_ROWS, LEAST_ROWS] = [100_000, 1_000];
/** Cells up to which all rows are converted together; those of a larger table by row group, when they are read. */
const WHOLE_CELLS = 2_000_000;

/** The rows as one table; the text is the schema. With `part`, the rows of that row group alone. */
export async function convertParquet(input: Input, output: Output, part?: number): Promise<void> {
  const file = bufferOf(input);
  const metadata = await parquetMetadataAsync(file);
  const { children } = parquetSchema(metadata);
  const columns = children.map(({ element }) => element.name);
  const groups = metadata.row_groups.map(({ num_rows }) => Number(num_rows));
  const rows = Number(metadata.num_rows);
  if (part !== undefined) {
    const start = groups.slice(0, part).reduce((sum, one) => sum + one, 0);
    const count = groups[part];
    if (count === undefined) throw new Refusal(`it has ${groups.length} row groups, and none of number ${part}`);
    await writeRows({ file, metadata, columns, start, stop: start + count, table: output.table('rows', columns) });
    return;
  }
  output.text('Columns of the table `rows`:\n');
  for (const { element } of children) {
    output.text(`- ${element.name}: ${(element.logical_type?.type ?? element.type ?? 'group').toLowerCase()}\n`);
  }
  output.text(`${rows} rows in ${groups.length} row groups\n`);
  output.facts({ rows, rowGroups: groups.length, createdBy: metadata.created_by });
  if (rows * columns.length > WHOLE_CELLS) output.tableOfParts('rows', columns, groups);
  else await writeRows({ file, metadata, columns, start: 0, stop: rows, table: output.table('rows', columns) });
}

function bufferOf(input: Input): AsyncBuffer {
  return {
    byteLength: input.bytes,
    slice: (start: number, end: number = input.bytes): ArrayBuffer => {
      const bytes = input.readAt(start, end - start);
      const copy = new ArrayBuffer(bytes.length);
      new Uint8Array(copy).set(bytes);
      return copy;
    },
  };
}

interface RowsToWrite {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly columns: readonly string[];
  readonly start: number;
  readonly stop: number;
  readonly table: TableOutput;
}

/** Decodes some rows of each column at a time. */
async function writeRows({ file, metadata, columns, start, stop, table }: RowsToWrite): Promise<void> {
  const step = Math.max(LEAST_ROWS, Math.min(MOST_ROWS, Math.floor(CELLS / Math.max(1, columns.length))));
  let groupStart = 0;
  for (const { num_rows } of metadata.row_groups) {
    const groupEnd = groupStart + Number(num_rows);
    for (let rowStart = Math.max(start, groupStart); rowStart < Math.min(stop, groupEnd); rowStart += step) {
      const rowEnd = Math.min(rowStart + step, stop, groupEnd);
      // A scan keeps what it read last.
      const scan = await parquetScan({ file, metadata, compressors: COMPRESSORS, rowStart, rowEnd });
      const read: DecodedArray[] = [];
      for (const column of columns) read.push(await scan.readColumn({ column, rowStart, rowEnd }));
      for (let row = 0; row < rowEnd - rowStart; row += 1) table.row(read.map((values) => cellValue(values[row])));
    }
    groupStart = groupEnd;
  }
  table.end();
}
