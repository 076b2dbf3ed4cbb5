/** Claims of the system prompt about answers and limits, each with a run that shows it. */
import { expect } from 'vitest';
import { z } from 'zod';
import { answered, type Claim } from './claims-of-cells.ts';
import { cell, type Played, promptOf } from './harness.ts';

export const ANSWER_CLAIMS: readonly Claim[] = [
  {
    says: 'From code: `FINAL(value)` ends the task with that value; `FINAL_VAR("name")` with that variable.',
    script: { context: 'x', root: [cell('v = 5', 'FINAL_VAR("v")')] },
    holds: (played) => expect(played.result).toMatchObject({ answer: '5', stop: 'final-var' }),
  },
  {
    says: 'In your reply, at the start of a line outside any block:',
    script: { context: 'x', root: [cell('v = 5'), 'FINAL_VAR(v)'] },
    holds: (played) => expect(answered(played)).toBe('5'),
  },
  ...['FINAL_VAR("v")', cell('FINAL_VAR(v)'), cell('FINAL_VAR("v")')].map((last) => ({
    says: 'the name may have quotes in both places.',
    script: { context: 'x', root: [cell('v = "five (5)"'), last] },
    holds: (played: Played<unknown>) => expect(answered(played)).toBe('five (5)'),
  })),
  {
    says: 'The answer may hold brackets, commas, quotes and several lines,',
    script: { context: 'x', root: [cell('print(context)'), 'FINAL(a (b), "c"\n[d] it\'s)'] },
    holds: (played) => expect(answered(played)).toBe('a (b), "c"\n[d] it\'s'),
  },
  {
    says: 'and a form that the query asks for goes inside: `FINAL(Answer: 42)`.',
    script: { context: 'x', root: [cell('print(context)'), 'FINAL(Answer: 42)'] },
    holds: (played) => expect(answered(played)).toBe('Answer: 42'),
  },
  {
    says: '`continue_with(notes)` starts it again from your notes: the query, variables, files and `history` stay, the turns so far leave it.',
    script: {
      context: 'x',
      root: [
        cell('v = 1', 'open("f", "w").write("kept")', 'print("first turn")'),
        cell('continue_with("my notes")'),
        cell('FINAL([v, open("f").read(), "first turn" in history["t1.0"]])'),
      ],
    },
    holds: (played) => {
      expect(answered(played)).toBe('[1, "kept", true]');
      expect(promptOf(played.root, 2)).toContain('my notes');
      expect(promptOf(played.root, 2)).not.toContain('first turn');
    },
  },
  {
    says: 'Keep a draft in `answer["content"]`: if a limit ends the task, the draft counts.',
    script: { context: 'x', limits: { maxTurns: 1 }, root: [cell('answer["content"] = "draft"')] },
    holds: (played) => expect(answered(played)).toBe('draft'),
  },
  {
    says: '`answer["ready"] = True` makes it final.',
    script: { context: 'x', root: [cell('answer["content"] = "done"', 'answer["ready"] = True')] },
    holds: (played) => expect(played.result).toMatchObject({ outcome: 'converged', answer: 'done' }),
  },
  {
    says: 'An answer beside a failed cell is refused',
    script: { context: 'x', root: [`${cell('1/0')}\nFINAL(guess it)`, 'FINAL(seen it)'] },
    holds: (played) => expect(answered(played)).toBe('seen it'),
  },
  {
    says: 'A written answer is refused before any code has looked at the context',
    script: { context: 'x', root: ['FINAL(too early)', `${cell('1')}\nFINAL(unseen)`, 'FINAL(seen now)'] },
    holds: (played) => expect(answered(played)).toBe('seen now'),
  },
  {
    says: 'The answer must be a value of this JSON Schema; one that does not fit is refused with every error:',
    script: {
      context: 'x',
      output: z.object({ a: z.number(), b: z.number() }),
      root: [cell('FINAL({})'), cell('FINAL({"a": 1, "b": 2})')],
    },
    holds: (played) => {
      expect(answered(played)).toEqual({ a: 1, b: 2 });
      expect(promptOf(played.root, 1)).toMatch(/a: [\s\S]*b: /);
    },
  },
  {
    says: '`SUBMIT(field=…)` answers with an object of those fields.',
    script: { context: 'x', output: z.object({ a: z.number() }), root: [cell('SUBMIT(a=1)')] },
    holds: (played) => expect(answered(played)).toEqual({ a: 1 }),
  },
  {
    says: 'The end of each message from the REPL says how much budget is left.',
    script: { context: 'x', root: [cell('1'), cell('FINAL(1)')] },
    holds: ({ root }) => expect(promptOf(root, 1)).toMatch(/Left: \d+ sub-calls, \d+ tokens, \d+ s\.$/),
  },
];
