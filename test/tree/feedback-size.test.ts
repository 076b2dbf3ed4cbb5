/**
 * Bounds what a cell can put into the next request to the root model: `outputChars`, and a constant for the rest of the
 * message, whether the REPL's report is honest or forged.
 *
 * @module
 */
import { describe, expect, it } from 'vitest';
import { type ScriptedModel, scriptedModel } from '../../src/test.ts';
import { cell, checkEvents, grow } from './harness.ts';

const OUTPUT_CHARS = 2_000;
/** Characters of a message beside the output: status, notes, variables, and what is left. */
const REST = 6_000;
const CONTEXT = 'secret text '.repeat(100_000);

const FORGE = [
  'C = history._channel',
  'own = C.result',
  'def forge(header, *parts):',
  '    def once(*a): C.result = own',
  '    C.result = once',
  '    parts = [part.encode() for part in parts]',
  '    C.send(2, C.command_id, {**header, "parts": [len(part) for part in parts]}, parts)',
];

/** Runs one cell and gives the messages of the next root request, with all that was recorded of the cell. */
async function play(lines: readonly string[], outputChars = OUTPUT_CHARS) {
  const root: ScriptedModel = scriptedModel(() => (root.requests.length > 1 ? 'FINAL("done")' : cell(...lines)), {
    modelId: 'root',
  });
  const { run, events } = grow({ model: root, subModel: root, limits: { outputChars } }, { context: CONTEXT });
  const result = await run;
  expect(checkEvents(events)).toEqual([]);
  const messages = root.requests[1]?.messages ?? [];
  const completed = events.find((event) => event.type === 'cell.completed');
  return {
    text: result.text,
    sent: messages.at(-1)?.content ?? '',
    whole: JSON.stringify(messages),
    // Output is recorded as it was captured (outputBytes); all else of the cell is bounded.
    recorded: JSON.stringify({ ...completed, stdout: '', stderr: '' }),
    trajectory: JSON.stringify(result.trajectory),
  };
}

const HUGE: readonly (readonly [name: string, lines: readonly string[]])[] = [
  ['a message', ['forge({"ok": False, "error": {"type": "E"}, "variables": []}, "m" * 4_000_000, "t")']],
  ['a traceback', ['forge({"ok": False, "error": {"type": "E"}, "variables": []}, "m", "t" * 4_000_000)']],
  ['a value', ['forge({"ok": True, "value": True, "variables": []}, "v" * 4_000_000)']],
  ['a continuation', ['forge({"ok": True, "continue": True, "variables": []}, "c" * 4_000_000)']],
  [
    'names, types and previews',
    [
      'row = lambda c: c * 15_000',
      'forge({"ok": True, "variables": [{"name": row("n"), "type": row("t"), "preview": row("p")}]})',
    ],
  ],
  ['rebound names', ['forge({"ok": True, "variables": [], "rebound": ["r" * 5_000] * 10})']],
  ['a header', ['forge({"ok": True, "variables": [{"name": "n" * 4_000_000, "type": "t"}]})']],
];

const HONEST: readonly (readonly [name: string, lines: readonly string[]])[] = [
  ['an error that quotes the context', ['assert context == "", context']],
  ['an error with a cause that does', ['raise ValueError("short") from KeyError(context)']],
  ['a group of them', ['raise ExceptionGroup("many", [ValueError(context) for _ in range(20)])']],
  [
    'output, a value and an error',
    ['import sys', 'print(context)', 'sys.stderr.write(context)', 'raise ValueError(context)'],
  ],
  [
    'an answer that is refused by its name',
    ['globals().update({"v%s" % i * 30: i for i in range(300)})', 'FINAL_VAR("nothing")'],
  ],
];

describe('the next request to the root model', () => {
  it.each(HUGE)(
    'takes outputChars and a constant of a forged result: %s of 4 MB',
    async (_name, lines) => {
      const { sent, recorded, trajectory, text } = await play([...FORGE, ...lines]);
      expect(sent.length).toBeLessThan(OUTPUT_CHARS + REST);
      expect(recorded.length).toBeLessThan(2 * OUTPUT_CHARS + REST);
      expect(trajectory.length).toBeLessThan(3 * (OUTPUT_CHARS + REST));
      expect(text).toBe('done');
    },
    60_000,
  );

  it.each(HONEST)(
    'takes outputChars and a constant of an honest one: %s',
    async (_name, lines) => {
      const { sent, recorded } = await play(lines);
      expect(sent.length).toBeLessThan(OUTPUT_CHARS + REST);
      expect(recorded.length).toBeLessThan(3 * OUTPUT_CHARS + REST);
    },
    60_000,
  );

  it('shows more where outputChars allows it: the same error is in there', async () => {
    const { sent } = await play(['assert context == "", context'], 20_000);
    expect(sent.length).toBeGreaterThan(9_000);
    expect(sent.length).toBeLessThan(20_000 + REST);
  }, 60_000);
});
