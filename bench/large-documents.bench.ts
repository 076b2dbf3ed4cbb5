/**
 * Files larger than memory: processor time and memory of the host for a scan, for reads at random and in order, beside the same
 * reads of the file alone.
 *
 * Run: `node bench/large-documents.bench.ts`
 */
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { lookAtFile } from '../src/context/from-file.ts';
import { ContextRoom, type LoadedContext } from '../src/context/index.ts';

const BYTES = Number(process.env.FATHOM_LARGE_BYTES ?? 2_000_000_000);
const LINE = 'a line of a log with some words, which is as long as most of them are\n';

interface Cost {
  readonly seconds: number;
  readonly more: number;
}

/** Processor seconds of this process, and the MiB by which it grew at most. */
async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const before = process.memoryUsage().rss;
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 10);
  const begun = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(begun);
  clearInterval(watch);
  return { seconds: (user + system) / 1e6, more: (Math.max(most, process.memoryUsage().rss) - before) / 2 ** 20 };
}

function show(name: string, { seconds, more }: Cost): void {
  console.log(`${name.padEnd(48)} ${seconds.toFixed(2).padStart(7)} s ${more.toFixed(0).padStart(5)} MiB`);
}

async function readAlone(path: string): Promise<void> {
  const [file, buffer] = [openSync(path, 'r'), Buffer.alloc(1024 * 1024)];
  while (readSync(file, buffer) > 0);
  closeSync(file);
}

/** Reads of a context as a cell asks for them. */
async function get({ projection }: LoadedContext, part: string): Promise<unknown> {
  return projection?.shape === 'mapping' ? await projection.get(`0 ${part}`) : undefined;
}

export async function benchLargeDocuments(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-bench-large-'));
  const path = join(folder, 'large.log');
  try {
    const [file, piece] = [openSync(path, 'w'), Buffer.from(LINE.repeat(100_000))];
    for (let at = 0; at < Math.min(BYTES, 200_000_000); at += piece.length) writeSync(file, piece, 0, piece.length, at);
    ftruncateSync(file, BYTES);
    closeSync(file);
    console.log(`a text of ${BYTES / 1e9} GB, 0.2 GB of it lines and the rest a hole`);
    // The first read of a hole fills the page cache.
    await readAlone(path);
    show('reading the file alone', await costOf(() => readAlone(path)));
    let loaded: LoadedContext | undefined;
    show(
      'scan: encoding, characters, lines, index',
      await costOf(async () => (loaded = await lookAtFile(path, {}, { room: new ContextRoom(1) }))),
    );
    show('the same file again', await costOf(() => lookAtFile(path, {}, { room: new ContextRoom(1) })));
    const context = loaded;
    if (context === undefined) return;
    show(
      '1 000 slices of 100 characters at random',
      await costOf(async () => {
        for (let at = 0; at < 1_000; at += 1) {
          const start = Math.floor((at * 7_919_111) % (BYTES - 100));
          await get(context, `slice ${start} ${start + 100}`);
        }
      }),
    );
    show(
      '1 000 lines at random',
      await costOf(async () => {
        for (let at = 0; at < 1_000; at += 1)
          await get(context, `lines ${(at * 7_919) % 2_000_000} ${((at * 7_919) % 2_000_000) + 1}`);
      }),
    );
    const wanted = Buffer.from('nowhere').toString('hex');
    show(
      'a literal that is not in it',
      await costOf(async () => {
        for (let at: number | null = 0; at !== null; ) {
          const found = (await get(context, `find ${at} ${BYTES} ${wanted}`)) as { readonly next: number | null };
          at = found.next;
        }
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await benchLargeDocuments();
