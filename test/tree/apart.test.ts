import { describe, expect, it } from 'vitest';
import { type ScriptedRequest, scriptedModel } from '../../src/test.ts';
import { cell, nested, rlmOf, rounds } from './harness.ts';

const CHILDREN = 12;

/** Answers only when all children have asked, so that all of them are in the middle of their cell at once. */
function meeting(size: number): () => Promise<string> {
  let waiting: (() => void)[] = [];
  return async () => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length < size) return;
      const all = waiting;
      waiting = [];
      for (const release of all) release();
    });
    return 'met';
  };
}

const CHILD = cell(
  'import os, sys, tempfile',
  'me = context',
  'print("out of", me)',
  'print("err of", me, file=sys.stderr)',
  'with open("note.txt", "a") as f: f.write(me)',
  'llm_query("meet")',
  'os.mkdir(me); os.chdir(me)',
  'with open("inner.txt", "a") as f: f.write(me)',
  'with open(os.path.join(tempfile.gettempdir(), "shared.txt"), "a") as f: f.write(me)',
  'os.environ["ME"] = me',
  'llm_query("meet")',
  'print("still", me)',
);
const CHILD_LOOKS = cell(
  'llm_query("meet")',
  'seen = {"me": me, "cwd": os.path.basename(os.getcwd()), "here": os.listdir("."), "inner": open("inner.txt").read(),',
  '        "note": open("../note.txt").read(), "above": [n for n in os.listdir("..") if n.startswith("child")],',
  '        "shared": open(os.path.join(tempfile.gettempdir(), "shared.txt")).read(), "env": os.environ["ME"]}',
  'FINAL(seen)',
);

describe('12 children side by side', () => {
  it('that print, write relative files and change directory do not see each other', async () => {
    const meet = meeting(CHILDREN);
    const answer = ({ messages }: ScriptedRequest): string | Promise<string> => {
      if (messages[0]?.role !== 'system') return meet();
      return messages.length > 2 ? CHILD_LOOKS : CHILD;
    };
    const root = cell(
      `rs = rlm_query_batched([(f"look {i}", f"child{i}") for i in range(${CHILDREN})], output={"type": "object"})`,
      'FINAL([r.value for r in rs])',
    );
    const rlm = rlmOf({
      model: scriptedModel(() => root, { modelId: 'root' }),
      subModel: scriptedModel(answer, { modelId: 'sub' }),
      limits: { maxDepth: 2 },
    });
    for (let round = 0; round < rounds(5); round++) {
      const { text, trajectory } = await rlm.completion({ query: 'who is there?', context: 'x' });
      const names = Array.from({ length: CHILDREN }, (_, index) => `child${index}`);
      expect(JSON.parse(text)).toEqual(
        names.map((me) => ({
          ...{ me, cwd: me, here: ['inner.txt'], inner: me, note: me, above: [me], shared: me, env: me },
        })),
      );
      const children = nested(trajectory).slice(1);
      expect(children).toHaveLength(CHILDREN);
      for (const [index, child] of children.entries()) {
        const [first] = child.turns[0]?.commands ?? [];
        expect(first?.stdout).toBe(`out of child${index}\nstill child${index}\n`);
        expect(first?.stderr).toBe(`err of child${index}\n`);
      }
    }
  }, 600_000);
});
