import { afterAll, describe, expect, it } from 'vitest';
import { createRlm, type Rlm, type RunEvent } from '../../src/index.ts';
import { type ScriptedRequest, scriptedModel } from '../../src/test.ts';
import { checkEvents } from '../engine/check-events.ts';
import { findPython } from '../repl-conformance/plain-python.ts';
import { descendantsOf, killed } from './processes.ts';

const cell = (...lines: string[]): string => `\`\`\`repl\n${lines.join('\n')}\n\`\`\``;

const TURNS = [
  cell('a = llm_query_batched([f"a{i}" for i in range(20)])', 'seen = [len(a)]'),
  cell('b = [llm_query(f"b{i}") for i in range(10)]', 'seen.append(len(b))'),
  cell('c = rlm_query("child", "its context")', 'seen.append(str(c))'),
  cell('FINAL("|".join([*a, *b, c, str(seen)]))'),
];
const CHILD_TURNS = [cell('mine = llm_query("c1") + llm_query("c2")'), cell('FINAL(mine + context)')];

const open: Rlm[] = [];
afterAll(async () => {
  await Promise.all(open.map((rlm) => rlm.close()));
});

/** Plays the script; before the model answers `victim`, every process below this one is killed. */
async function play(repl: 'python' | 'pyodide', victim: string | undefined) {
  const asked = new Map<string, number>();
  let armed = victim;
  const sub = async ({ messages, prompt }: ScriptedRequest): Promise<string> => {
    if (messages[0]?.role === 'system') {
      return CHILD_TURNS[messages.filter(({ role }) => role === 'assistant').length] ?? 'FINAL(lost)';
    }
    asked.set(prompt, (asked.get(prompt) ?? 0) + 1);
    if (prompt === armed) {
      armed = undefined;
      for (const pid of await descendantsOf(process.pid)) killed(pid);
    }
    return prompt.toUpperCase();
  };
  const events: RunEvent[] = [];
  const rlm = createRlm({
    repl,
    model: scriptedModel(TURNS, { modelId: 'root' }),
    subModel: scriptedModel(sub, { modelId: 'sub' }),
    limits: { maxDepth: 2 },
    onEvent: (event) => events.push(event),
  });
  open.push(rlm);
  const result = await rlm.completion({ query: 'What is it?' });
  return { result, asked, events };
}

const BACKENDS = findPython().path === undefined ? (['pyodide'] as const) : (['python', 'pyodide'] as const);

describe.each(BACKENDS)('a run whose REPLs are killed from outside (%s)', (repl) => {
  it.each(['a7', 'b5', 'c2'])(
    'at %s gives the undisturbed answer, and pays again for what was in flight only',
    async (at) => {
      const undisturbed = await play(repl, undefined);
      const { result, asked, events } = await play(repl, at);
      expect(result).toMatchObject({ outcome: 'converged', answer: undisturbed.result.answer, turns: TURNS.length });
      expect(result.subCalls).toBe(undisturbed.result.subCalls);
      const again = [...asked].filter(([, count]) => count > 1).map(([prompt]) => prompt);
      // A batch is in flight as a whole.
      const inFlight = at === 'a7' ? Array.from({ length: 20 }, (_, index) => `a${index}`) : [at];
      expect(inFlight).toEqual(expect.arrayContaining(again));
      expect(result.usage.calls).toBe(undisturbed.result.usage.calls + again.length);
      expect(result.usage.possiblyBilled).toBe(again.length);
      // Twice where a spare that was killed as well was taken before anybody knew.
      expect([1, 2]).toContain(events.filter(({ type }) => type === 'repl.restarted').length);
      expect(checkEvents(events)).toEqual([]);
    },
    60_000,
  );
});

describe('a cell that kills its own process', () => {
  it.skipIf(findPython().path === undefined)(
    'is reported to the model the second time, and its calls are not repeated',
    async () => {
      const root = scriptedModel(
        [cell('x = 1'), cell('import os', 'llm_query("before")', 'os.kill(os.getpid(), 9)'), cell('FINAL(x)')],
        { modelId: 'root' },
      );
      const sub = scriptedModel(() => 'ok', { modelId: 'sub' });
      const rlm = createRlm({ repl: 'python', model: root, subModel: sub });
      open.push(rlm);
      const result = await rlm.completion({ query: 'What is it?' });
      expect(result).toMatchObject({ outcome: 'converged', answer: '1', turns: 3 });
      expect(root.requests).toHaveLength(3);
      expect(root.requests[2]?.prompt).toContain('The REPL was restarted: it was ended by SIGKILL');
      expect(sub.requests).toHaveLength(1);
    },
  );
});
