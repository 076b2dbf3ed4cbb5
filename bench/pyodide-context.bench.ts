/**
 * Contexts of 1, 10 and 100 MB into the pyodide backend: time and memory beside reading and decoding the file.
 *
 * Run: `node bench/pyodide-context.bench.ts`
 */
import { readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pyodideBackend } from '../src/repl/pyodide/index.ts';
import { largestChild, openBenchRepl, residentMegabytes, run, timed } from './pyodide-floor.ts';
import { median, report } from './support/report.ts';

const MB = 1_000_000;
const LINES = {
  ASCII: 'the quick brown fox jumps over the lazy dog, 0123456789\n',
  'non-ASCII': 'Falsches Üben von Xylophonmusik quält jeden größeren Zwerg — 日本語\n',
} as const;

/** Bars: the file is read and decoded at 0.7 of the floor's speed or better; ASCII takes 2.2 times its size at most. */
export async function benchPyodideContext(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fathom-bench-'));
  try {
    for (const [name, line] of Object.entries(LINES)) {
      for (const size of [1, 10, 100]) await benchLoad({ folder, name, line, size });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function benchLoad({
  folder,
  name,
  line,
  size,
}: {
  folder: string;
  name: string;
  line: string;
  size: number;
}): Promise<void> {
  const path = join(folder, 'context.txt');
  await writeFile(path, line.repeat(Math.ceil((size * MB) / Buffer.byteLength(line))));
  const bytes = statSync(path).size;
  const { length } = readFileSync(path, 'utf8');
  const floors: number[] = [];
  const times: number[] = [];
  let memory = 0;
  for (let round = 0; round < 5; round += 1) {
    floors.push(await timed(async () => readFileSync(path).toString('utf8')));
    const backend = pyodideBackend({ most: 'process', spares: 0 });
    const repl = await openBenchRepl(backend);
    const pid = largestChild();
    const before = residentMegabytes(pid).now + residentMegabytes(process.pid).now;
    const context = { kind: 'file', path, bytes, encoding: 'utf-8', skip: 0, as: 'text' } as const;
    times.push(await timed(() => repl.bind({ values: { context } })));
    const found = Number(await run(repl, 'len(context)'));
    if (found !== length) throw new Error(`${found} characters arrived instead of ${length}`);
    memory = Math.max(memory, residentMegabytes(pid).most + residentMegabytes(process.pid).now - before);
    await backend.close();
  }
  const floor = median(floors);
  // Small files are bound by a few round trips, not by their bytes.
  const bar = Math.max(floor / 0.7, 25);
  report({
    name: `${size} MB ${name} from a file (floor: read + decode)`,
    measured: median(times),
    unit: 'ms',
    floor,
    bar,
  });
  if (size === 100 && name === 'ASCII') {
    report({
      name: 'its memory, child and host, beyond before',
      measured: memory,
      unit: 'MB',
      floor: bytes / MB,
      bar: (2.2 * bytes) / MB,
    });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await benchPyodideContext();
