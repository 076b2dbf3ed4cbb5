/**
 * The rows of a table that is converted in parts, such as the row groups of a Parquet file: each when rows of it are read.
 *
 * @module
 */
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { type ConvertedFile, convertFile } from '../../convert/convert-file.ts';
import type { ConvertedKind } from '../../convert/kinds.ts';
import type { FileValue } from '../../repl/port.ts';
import { FileChanged } from './large-file.ts';
import { KEPT_PART_BYTES } from './limits.ts';
import { madeFile, RecordFile, type Records } from './record-file.ts';

interface OpenPart {
  readonly rows: RecordFile;
  readonly folder: string;
  readonly bytes: number;
}

/** Rows by number, from the parts that have them. */
export class PartRows {
  readonly #file: FileValue;
  readonly #kind: ConvertedKind;
  readonly #counts: readonly number[];
  readonly #open = new Map<number, Promise<OpenPart>>();
  #last = -1;

  constructor(file: FileValue, kind: ConvertedKind, counts: readonly number[]) {
    [this.#file, this.#kind, this.#counts] = [file, kind, counts];
  }

  /** Rows from `start` on, up to `stop`, of the part that has the first of them. */
  async read(start: number, stop: number): Promise<Records> {
    const total = this.#counts.reduce((sum, count) => sum + count, 0);
    let [part, before] = [0, 0];
    for (; part < this.#counts.length && before + (this.#counts[part] ?? 0) <= start; part += 1) {
      before += this.#counts[part] ?? 0;
    }
    if (start >= total || start >= stop) return { records: [], total };
    const last = Math.min(stop - before, this.#counts[part] ?? 0);
    const records = await this.#readPart(part, { start: start - before, stop: last });
    return { records, total };
  }

  /** A converted part may have been deleted meanwhile, as what was used longest ago. */
  async #readPart(
    part: number,
    { start, stop }: { readonly start: number; readonly stop: number },
  ): Promise<readonly string[]> {
    for (let attempt = 0; ; ) {
      const opened = await this.#opened(part);
      try {
        const { records, total } = await opened.rows.read(start, stop);
        // Its index is being made.
        if (records.length > 0 || total !== null) return records;
      } catch (error) {
        attempt += 1;
        if (attempt > 1 || !(error instanceof FileChanged)) throw error;
        this.#open.delete(part);
      }
    }
  }

  async #opened(part: number): Promise<OpenPart> {
    const opening = this.#start(part);
    const inOrder = part === this.#last + 1;
    this.#last = part;
    const opened = await opening;
    // Who reads in order needs the next one soon.
    if (inOrder && part + 1 < this.#counts.length) this.#start(part + 1).catch(() => undefined);
    await this.#dropOldest(part);
    return opened;
  }

  #start(part: number): Promise<OpenPart> {
    const before = this.#open.get(part);
    if (before !== undefined) return before;
    const opening = convertFile(this.#file, this.#kind, part).then(openPart);
    this.#open.set(part, opening);
    opening.catch(() => this.#open.delete(part));
    return opening;
  }

  async #dropOldest(newest: number): Promise<void> {
    const all = await Promise.all(
      [...this.#open].filter(([part]) => part <= newest).map(async ([part, one]) => [part, await one] as const),
    );
    let bytes = all.reduce((sum, [, one]) => sum + one.bytes, 0);
    for (const [part, { folder, bytes: size }] of all) {
      if (bytes <= KEPT_PART_BYTES) return;
      if (part === newest) continue;
      bytes -= size;
      this.#open.delete(part);
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

function openPart(converted: ConvertedFile): OpenPart {
  const file = converted.conversion.tables[0]?.file ?? 1;
  const value = madeFile(converted, file);
  return { rows: new RecordFile(value, { kind: 'lines' }), folder: dirname(value.path), bytes: value.bytes };
}
