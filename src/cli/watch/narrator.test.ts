import { expect, test } from 'vitest';
import type { EventBody } from '../../event/event.ts';
import { colorsFor } from '../screen/console.ts';
import { eventOf, streamTo } from '../screen/testing.ts';
import { fullNarrator } from './full-narrator.ts';
import { briefNarrator, type Narrator, type NarratorOptions } from './narrator.ts';
import { INITIAL_STATE, nextState } from './run-state.ts';

const PLAIN: NarratorOptions = { colors: colorsFor(streamTo([]), {}), stream: {}, interactive: false };
const LIVE: NarratorOptions = { ...PLAIN, interactive: true };

/** Everything a narrator says of these events of the root run. */
function narrate(narrator: Narrator, ...bodies: readonly EventBody[]): readonly string[] {
  let state = INITIAL_STATE;
  return bodies.flatMap((body) => {
    const event = eventOf(body);
    state = nextState(state, event);
    return narrator(event, state, 4_000);
  });
}

const STARTED: EventBody = {
  type: 'run.started',
  query: 'q',
  depth: 0,
  contexts: [{ name: 'context', type: 'str', size: 883_028 }],
  rootModel: 'openai/gpt-5',
  subCallModel: 'openai/gpt-5-mini',
  backend: 'pyodide',
  isolation: 'namespace',
};
const REPLIED: EventBody = {
  type: 'model.replied',
  turn: 1,
  model: 'openai/gpt-5',
  text: 'Look:\n\u001b[2J```python\nprint(1)\n```\n',
  finishReason: 'stop',
  durationMs: 1_250,
};
const CELL: EventBody = {
  type: 'cell.completed',
  turn: 1,
  id: 't1.0',
  ok: false,
  shown: 'ValueError: no\r\n',
  stdout: '',
  stderr: '',
  subCalls: 3,
  failedSubCalls: 1,
  durationMs: 40,
  timedOut: false,
};

test('the start names models, context and REPL', () => {
  expect(narrate(briefNarrator(PLAIN), STARTED)).toEqual([
    'openai/gpt-5, sub-calls openai/gpt-5-mini · context: str [883k] · pyodide REPL, isolation namespace',
  ]);
  const without = { ...STARTED, contexts: [{ name: 'context', type: 'NoneType', size: 0 }] };
  expect(narrate(briefNarrator(PLAIN), without)).toEqual([expect.stringContaining(' · no context · ')]);
});

test('brief leaves out what the model writes and sees; full shows it, made fit for a terminal', () => {
  expect(narrate(briefNarrator(PLAIN), REPLIED, CELL)).toEqual([]);
  const lines = narrate(fullNarrator(PLAIN), REPLIED, CELL);
  expect(lines[1]).toMatch(/^── turn 1 · openai\/gpt-5 replied in 1\.3 s ─+$/);
  expect(lines.slice(2, -2).join('\n')).toBe('Look:\n\\x1b[2J```python\nprint(1)\n```');
  expect(lines.slice(-2)).toEqual(['  ValueError: no', '▸ failed in 40 ms, 3 sub-calls (1 failed)']);
});

test('a full account wraps prose at words for a terminal, and leaves code as it is', () => {
  const stream = { isTTY: true, columns: 30 };
  const text =
    'Words that are longer than a line of it.\n```python\nprint("code that is longer than a line of it")\n```\n';
  const lines = narrate(fullNarrator({ ...PLAIN, stream }), { ...REPLIED, text });
  expect(lines.slice(2).join('\n')).toBe(
    'Words that are longer than a\nline of it.\n```python\nprint("code that is longer than a line of it")\n```',
  );
});

test('both report trouble', () => {
  const trouble: readonly EventBody[] = [
    { type: 'budget.warning', resource: 'tokens', fraction: 0.9, spent: 9, limit: 10 },
    { type: 'repl.restarted', reason: 'it was killed', lost: 'nothing is lost' },
    { type: 'command.rejected', turn: 1, code: 'unclosed', message: 'not closed', excerpt: 'FINAL(' },
  ];
  const lines = [
    '! 90 % of tokens is used',
    '! the REPL was restarted: it was killed; nothing is lost',
    '! refused (unclosed): not closed',
  ];
  expect(narrate(briefNarrator(PLAIN), ...trouble)).toEqual(lines);
  expect(narrate(fullNarrator(PLAIN), ...trouble)).toEqual(lines);
});

const TURN: EventBody = { type: 'turn.completed', turn: 1, feedback: '', durationMs: 2_000 };

test('each turn has the first sentence of its reply, time first; a pipe gets one line per turn', () => {
  const reply = { ...REPLIED, text: '## Plan\nNow I **cut** the text into 24 parts. Then I ask.\n```python\nx\n```' };
  expect(narrate(briefNarrator(LIVE), reply, TURN)).toEqual([
    '0:04 turn 1: Plan',
    '  done in 2.0 s · so far 0 sub-calls',
  ]);
  const plain = { ...reply, text: reply.text.slice(8) };
  expect(narrate(briefNarrator(PLAIN), plain, TURN)).toEqual([
    '0:04 turn 1/? done in 2.0 s · Now I cut the text into 24 parts. · so far 0 sub-calls',
  ]);
});

test('text is shown while it is written, line by line, and once', () => {
  const delta = (text: string, attempt = 1): EventBody => ({ type: 'model.delta', turn: 1, attempt, text });
  const whole = 'One.\nTwo.\n```python\nx\n```';
  const narrator = fullNarrator(PLAIN);
  const shown = (...bodies: readonly EventBody[]): readonly string[] => narrate(narrator, ...bodies);
  expect(shown(delta('On'))).toEqual(['', expect.stringMatching(/^── turn 1 ─+$/)]);
  expect(shown(delta('e.\nTw'))).toEqual(['One.']);
  expect(shown(delta('Anot', 2))).toEqual(['! the reply broke off, and the model is asked again:']);
  expect(shown(delta('her.\nTwo'.replace('Another.', ''), 2))).toEqual(['Another.']);
  expect(shown({ ...REPLIED, text: 'Another.\nTwo.' })).toEqual(['Two.']);
  expect(shown(delta('One.\n'), { ...REPLIED, text: whole })).toEqual([
    ...['', expect.stringContaining('turn 1'), 'One.', 'Two.', '```python', 'x', '```'],
  ]);
});

test('the output of a cell is shown as it comes, and its error after it', () => {
  const output = (text: string): EventBody => ({ type: 'cell.output', id: 't1.0', stream: 'stdout', text });
  const narrator = fullNarrator(PLAIN);
  expect(narrate(narrator, output('a\nb'))).toEqual(['  a']);
  expect(narrate(narrator, output('c\n'), { ...CELL, shown: 'a\nbc\nValueError: no' })).toEqual([
    ...['  bc', '  ValueError: no', '▸ failed in 40 ms, 3 sub-calls (1 failed)'],
  ]);
});

test('the turns of children are not shown as those of the root', () => {
  const event = eventOf({ type: 'turn.completed', turn: 4, feedback: '', durationMs: 1 }, 'child');
  expect(briefNarrator(PLAIN)(event, INITIAL_STATE, 0)).toEqual([]);
});
