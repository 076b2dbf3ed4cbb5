/**
 * Completions per second at 10, 100 and 1 000 at once, and the processor time of one, of the host and of its children.
 * Each has two cells, a batch of five sub-calls and an answer; models answer at once. Look at the processor time on a
 * machine that others use: the rate is what is left.
 *
 * Run: `node bench/bursts.bench.ts [python|pyodide]…`
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { createRlm } from '../src/index.ts';
import { scriptedModel } from '../src/test.ts';
import { cell, report } from './support/report.ts';

type Backend = 'python' | 'pyodide';

/** Goals: completions per second at least, and milliseconds of processor time of one at most. */
const GOALS = { python: { rate: 80, cpu: 20 }, pyodide: { rate: 4, cpu: 500 } } as const;
const AT_ONCE = { python: [10, 100, 1_000], pyodide: [10, 100] } as const;
/** Milliseconds of a clock tick in /proc. */
const TICK_MS = 10;

/** Prints the lines of each backend. */
export async function benchBursts(backends: readonly Backend[] = ['python', 'pyodide']): Promise<void> {
  for (const backend of backends) {
    console.log(`  ${backend}`);
    const start = await burst(backend, 1);
    for (const runs of AT_ONCE[backend]) {
      const used = await burst(backend, runs);
      report({
        name: `completions per second, ${runs} at once`,
        measured: (runs / used.ms) * 1_000,
        unit: '/s',
        bar: GOALS[backend].rate,
        atLeast: true,
      });
      if (runs !== 100) continue;
      const of = (name: keyof Used): number => (used[name] - start[name]) / (runs - 1);
      const all = of('hostUser') + of('hostSystem') + of('childUser') + of('childSystem');
      report({ name: 'processor time of one', measured: all, unit: 'ms', bar: GOALS[backend].cpu });
      const parts = (['hostUser', 'hostSystem', 'childUser', 'childSystem'] as const).map(
        (name) => `${name} ${of(name).toFixed(1)}`,
      );
      console.log(`    (${parts.join(', ')} ms)`);
    }
  }
}

/** Milliseconds. */
interface Used {
  readonly ms: number;
  readonly hostUser: number;
  readonly hostSystem: number;
  readonly childUser: number;
  readonly childSystem: number;
}

/** A burst in an `Rlm` of its own, whose processes have ended and are counted when it is closed. */
async function burst(repl: Backend, runs: number): Promise<Used> {
  const turns = [
    cell('n = len(context)'),
    cell('parts = llm_query_batched([f"item {i}" for i in range(5)])', 'print(parts)'),
    'FINAL_VAR(n)',
  ];
  const model = scriptedModel(
    ({ messages }) => turns[messages.filter(({ role }) => role === 'assistant').length] ?? 'FINAL(0)',
  );
  const rlm = createRlm({ repl, model, subModel: scriptedModel(() => 'ok') });
  const before = { cpu: process.cpuUsage(), children: childTimes() };
  const context = 'a'.repeat(100_000);
  await rlm.completion({ query: 'q', context });
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: runs - 1 }, () => rlm.completion({ query: 'q', context })));
  const ms = performance.now() - startedAt;
  await rlm.close();
  const { user, system } = process.cpuUsage(before.cpu);
  const children = childTimes();
  return {
    ms,
    hostUser: user / 1_000,
    hostSystem: system / 1_000,
    childUser: children.user - before.children.user,
    childSystem: children.system - before.children.system,
  };
}

/** Processor time of children that have ended, and of theirs. */
function childTimes(): { readonly user: number; readonly system: number } {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { user: Number(fields[13]) * TICK_MS, system: Number(fields[14]) * TICK_MS };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const asked = process.argv.slice(2).filter((name): name is Backend => name in GOALS);
  await benchBursts(asked.length > 0 ? asked : undefined);
}
