/**
 * Contexts: a file of 100 MB, a text of 100 MB, and one of 1 GB shared by 100 REPLs.
 *
 * Run: `node bench/python-context.bench.ts`
 */
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FileValue, Repl } from '../src/repl/port.ts';
import { pythonBackend } from '../src/repl/python/backend.ts';
import { median, openBenchRepl, plainPython, row, run, timed } from './python-floor.ts';

const MB = 1_000_000;
const CHILDREN = 100;
const ASCII = 'the quick brown fox jumps over the lazy dog, 0123456789\n';
const OTHER = 'Falsches Üben von Xylophonmusik quält jeden größeren Zwerg — 日本語\n';
const DECODE = `
import sys, time
times = []
for _ in range(5):
    t = time.perf_counter()
    with open(sys.argv[1], "rb") as file: text = file.read().decode()
    times.append(time.perf_counter() - t)
    del text
print(sorted(times)[2] * 1e3)
`;
const PRIVATE = `
total = 0
for line in open("/proc/self/smaps_rollup"):
    if line.startswith(("Private_Dirty", "Private_Clean")): total += int(line.split()[1])
(len(context), context[-5:], total)
`;

/** Bars: 1.5 times read and decode; 15 MB of private memory for each of 100 children of 1 GB. */
export async function benchPythonContext(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fathom-bench-'));
  try {
    for (const [name, line] of Object.entries({ ASCII, 'non-ASCII': OTHER })) await benchLoad(folder, name, line);
    await benchChildren(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function benchLoad(folder: string, name: string, line: string): Promise<void> {
  const path = join(folder, 'context.txt');
  await writeFile(path, line.repeat(Math.ceil((100 * MB) / Buffer.byteLength(line))));
  const floor = Number(await plainPython(DECODE, path));
  const text = await readFile(path, 'utf8');
  const file = await fileValue(path);
  const fromFile: number[] = [];
  const fromText: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    fromFile.push(await load((repl) => repl.bind({ values: { context: file } }), text.length));
    fromText.push(await load((repl) => repl.bind({ values: { context: { kind: 'text', text } } }), text.length));
  }
  const bar = 1.5 * floor;
  row(`100 MB ${name} from a file (floor: read + decode)`, { measured: median(fromFile), floor, bar, unit: 'ms' });
  row(`100 MB ${name} from memory`, { measured: median(fromText), floor, bar: 3 * floor, unit: 'ms' });
}

async function load(bind: (repl: Repl) => Promise<void>, length: number): Promise<number> {
  const backend = pythonBackend();
  try {
    const repl = await openBenchRepl(backend);
    const ms = await timed(() => bind(repl));
    const found = Number(
      await run(repl, 'sum(1 for c in context[-1:]) and len(context.encode("utf-16-le", "surrogatepass")) // 2'),
    );
    if (found !== length) throw new Error(`${found} characters arrived instead of ${length}`);
    return ms;
  } finally {
    await backend.close();
  }
}

async function benchChildren(folder: string): Promise<void> {
  const path = join(folder, 'large.txt');
  // V8's longest string has half a billion characters: in two pieces.
  const half = ASCII.repeat(Math.ceil((500 * MB) / ASCII.length));
  await writeFile(path, half);
  await appendFile(path, half);
  const file = await fileValue(path);
  const backend = pythonBackend();
  try {
    const first = await timed(async () => (await openBenchRepl(backend)).bind({ values: { context: file } }));
    const repls: Repl[] = [];
    const opened: number[] = [];
    const privates: number[] = [];
    for (let child = 0; child < CHILDREN; child += 1) {
      opened.push(
        await timed(async () => {
          const repl = await openBenchRepl(backend);
          await repl.bind({ values: { context: file } });
          repls.push(repl);
        }),
      );
    }
    for (const repl of repls) privates.push(Number(/, (\d+)\)$/.exec((await run(repl, PRIVATE)) ?? '')?.[1]) / 1_000);
    console.log(
      `    first REPL with 1 GB: ${first.toFixed(0)} ms; each further one, open and bound: ${median(opened).toFixed(1)} ms`,
    );
    row(`private memory of ${CHILDREN} REPLs on 1 GB, the most`, {
      measured: Math.max(...privates),
      floor: Math.min(...privates),
      bar: 15,
      unit: 'MB',
    });
  } finally {
    await backend.close();
  }
}

async function fileValue(path: string): Promise<FileValue> {
  return { kind: 'file', path, bytes: (await stat(path)).size, encoding: 'utf-8', skip: 0, as: 'text' };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await benchPythonContext();
