import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Verdict } from '../event/event.ts';

/** A summary of a tool's output, under way or ended. */
export interface SummaryRecord {
  /** e.g. `sum_1f0c…`: a hash of content, model, parameters and version. */
  readonly handle: string;
  readonly tool: string;
  /** The handle of the whole output among the stored parts. */
  readonly part: string;
  readonly state: 'pending' | 'done' | 'failed';
  readonly text?: string;
  /** Of the quotes that the summary rests on. Only verified summaries are taken for another equal output. */
  readonly verdict?: Verdict;
  readonly error?: string;
}

/** Keeps summaries by handle. */
export interface SummaryStore {
  get(handle: string): Promise<SummaryRecord | undefined>;
  put(record: SummaryRecord): Promise<void>;
  /** Those that were under way when their process ended. */
  pending(): Promise<readonly SummaryRecord[]>;
}

/** Summaries in this process's memory. */
export function memorySummaries(): SummaryStore {
  const records = new Map<string, SummaryRecord>();
  return {
    get: (handle) => Promise.resolve(records.get(handle)),
    async put(record) {
      records.set(record.handle, record);
    },
    pending: () => Promise.resolve([...records.values()].filter(({ state }) => state === 'pending')),
  };
}

const FILE = /^sum_[0-9a-f]{24}\.json$/;

/** Summaries as files of a folder that only this user may read. They outlive the process. */
export function fileSummaries(folder: string): SummaryStore {
  const read = async (file: string): Promise<SummaryRecord | undefined> => {
    if (!FILE.test(file)) return undefined;
    try {
      return JSON.parse(await readFile(join(folder, file), 'utf8')) as SummaryRecord;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  };
  return {
    get: (handle) => read(`${handle}.json`),
    async put(record) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const temporary = join(folder, `${record.handle}.${randomUUID()}`);
      const file = await open(temporary, 'wx', 0o600);
      try {
        await file.writeFile(JSON.stringify(record));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, join(folder, `${record.handle}.json`));
    },
    async pending() {
      const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return [];
        throw error;
      });
      const records = await Promise.all(files.map(read));
      return records.flatMap((record) => (record?.state === 'pending' ? [record] : []));
    },
  };
}
