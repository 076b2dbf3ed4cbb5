/**
 * Each limit takes `Infinity` and the run works, or refuses it before anything is sent: on the native REPL; on the embedded
 * one those that reach a REPL.
 */
import { afterAll, expect, test } from 'vitest';
import { createRlm, type Limits, type Rlm } from '../../src/index.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { type ScriptedModel, scriptedModel } from '../../src/test.ts';
import { LIMITS } from '../repl-conformance/bench.ts';

const REPLIES = ['```python\nr = llm_query_batched(["a", "b"])\nprint(len(r))\n```', 'FINAL_VAR(r)'];
const ALL = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[];
const OF_REPLS = ALL.filter((name) => name in LIMITS);
const open: Rlm[] = [];
afterAll(async () => void (await Promise.all(open.map((rlm) => rlm.close()))));

/** One `Rlm` for all limits of a backend: its REPLs start warm. */
function rlmOn(repl: 'python' | 'pyodide'): Rlm {
  const rlm = createRlm({ model: scriptedModel(REPLIES), subModel: scriptedModel(() => 'sub'), repl });
  open.push(rlm);
  return rlm;
}

for (const [repl, names] of [
  ['python', ALL],
  ['pyodide', process.env.FATHOM_SOAK === undefined ? OF_REPLS : ALL],
] as const) {
  let rlm: Rlm | undefined;
  test.each(names)(`${repl}: %s`, async (name) => {
    rlm ??= rlmOn(repl);
    const model: ScriptedModel = scriptedModel(REPLIES);
    const limits: Partial<Limits> = { [name]: Number.POSITIVE_INFINITY };
    const run = rlm.completion({ query: 'How many?', context: 'abc', limits, model });
    const outcome = await run.then(
      (result) => result.outcome,
      (error: { code: string }) => error.code,
    );
    expect(['converged', 'invalid-limit']).toContain(outcome);
    if (outcome === 'invalid-limit') expect(model.requests).toHaveLength(0);
  });
}

test('a limit that must be finite says so by name', async () => {
  const rlm = rlmOn('python');
  const run = rlm.completion({ query: 'How many?', limits: { memoryBytes: Number.POSITIVE_INFINITY } });
  await expect(run).rejects.toMatchObject({ code: 'invalid-limit', message: expect.stringContaining('memoryBytes') });
});
