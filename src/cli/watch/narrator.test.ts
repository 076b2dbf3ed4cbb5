import { expect, test } from 'vitest';
import type { EventBody } from '../../event/event.ts';
import { colorsFor } from '../screen/console.ts';
import { eventOf, streamTo } from '../screen/testing.ts';
import { briefNarrator, fullNarrator, type Narrator } from './narrator.ts';
import { INITIAL_STATE, nextState } from './run-state.ts';

const PLAIN = colorsFor(streamTo([]), {});

/** Everything a narrator says of these events of the root run. */
function told(narrator: Narrator, ...bodies: readonly EventBody[]): readonly string[] {
  let state = INITIAL_STATE;
  return bodies.flatMap((body) => {
    const event = eventOf(body);
    state = nextState(state, event);
    return narrator(event, state);
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
  expect(told(briefNarrator(PLAIN), STARTED)).toEqual([
    'openai/gpt-5, sub-calls openai/gpt-5-mini · context: str [883k] · pyodide REPL, isolation namespace',
  ]);
  const without = { ...STARTED, contexts: [{ name: 'context', type: 'NoneType', size: 0 }] };
  expect(told(briefNarrator(PLAIN), without)).toEqual([expect.stringContaining(' · no context · ')]);
});

test('brief leaves out what the model writes and sees; full shows it, made fit for a terminal', () => {
  expect(told(briefNarrator(PLAIN), REPLIED, CELL)).toEqual([]);
  const lines = told(fullNarrator(PLAIN), REPLIED, CELL);
  expect(lines[1]).toMatch(/^── turn 1 · openai\/gpt-5 replied in 1\.3 s ─+$/);
  expect(lines[2]).toBe('Look:\n\\x1b[2J```python\nprint(1)\n```');
  expect(lines.slice(3)).toEqual(['▸ failed in 40 ms, 3 sub-calls (1 failed)', '  ValueError: no']);
});

test('trouble is told by both', () => {
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
  expect(told(briefNarrator(PLAIN), ...trouble)).toEqual(lines);
  expect(told(fullNarrator(PLAIN), ...trouble)).toEqual(lines);
});

test('the turns of children are not told as the root’s', () => {
  const event = eventOf({ type: 'turn.completed', turn: 4, feedback: '', durationMs: 1 }, 'child');
  expect(briefNarrator(PLAIN)(event, INITIAL_STATE)).toEqual([]);
});
