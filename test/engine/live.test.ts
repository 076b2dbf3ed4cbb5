/** Live output while the model writes: a run shows it, and never takes it for an answer. */
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/index.ts';
import { fakeClock } from '../../src/test.ts';
import { cell, play, start } from './harness.ts';

describe('text while the model writes', () => {
  it('is an ephemeral event per piece, and together the reply', async () => {
    const { events } = await play({ context: 'x', root: [cell('n = 1'), 'FINAL(done)'] });
    const deltas = events.flatMap((event) => (event.type === 'model.delta' ? [event] : []));
    const replies = events.flatMap((event) => (event.type === 'model.replied' ? [event] : []));
    expect(replies).toHaveLength(2);
    for (const { turn, text, seq } of replies) {
      const own = deltas.filter((delta) => delta.turn === turn);
      expect(own.map((delta) => delta.text).join('')).toBe(text);
      expect(own.every((delta) => delta.attempt === 1 && delta.seq < seq)).toBe(true);
    }
  });

  it('ends where the reply is ended early', async () => {
    const { events, result } = await play({
      context: 'x',
      options: { prompt: { stopAfterFirstBlock: true } },
      root: [`${cell('n = 1')}\nREPL output: 1\nFINAL(invented)`, 'FINAL(done)'],
    });
    const written = events.flatMap((event) => (event.type === 'model.delta' && event.turn === 1 ? [event.text] : []));
    expect(written.join('')).toBe(`${cell('n = 1')}\n`);
    expect(result.answer).toBe('done');
  });
});

describe('a run whose time is up while its model is silent', () => {
  // The run's own timers are due at the same instant as the call's, and may fire later.
  it.each([0, 1, 5, 50])('ends with its time limit, its own timer %i ms later', async (late) => {
    const clock = fakeClock();
    let asked = false;
    const turnHasStarted = (): boolean => events.some(({ type }) => type === 'turn.started');
    const slow = {
      now: () => clock.now(),
      schedule: (ms: number, callback: () => void) => clock.schedule(turnHasStarted() ? ms : ms + late, callback),
    };
    let events: readonly RunEvent[] = [];
    const { run, events: seen } = start({
      context: 'x',
      limits: { maxDurationMs: 3_000 },
      options: { clock: slow },
      root: ({ signal }) => {
        asked = true;
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    });
    events = seen;
    let ended = false;
    const done = Promise.resolve(run).then(
      (result) => result,
      (error: unknown) => error,
    );
    void done.finally(() => {
      ended = true;
    });
    while (!asked) await clock.advance(0);
    while (!ended) await clock.advance(100);
    expect(await done).toMatchObject({ outcome: 'exhausted', stop: 'time-limit' });
  });
});

describe('at a limit', () => {
  it.each([
    ['a block of code', cell('print(1)')],
    ['a tool call', '<tool_call>{"name": "python", "arguments": {"code": "print(1)"}}</tool_call>'],
    ['a lead-in with a block', `Let me look again:\n${cell('print(2)')}`],
  ])('a last reply that is %s is not the answer', async (_, last) => {
    const { result } = await play({ context: 'x', limits: { maxTurns: 1 }, root: [cell('n = 1'), last] });
    expect(result).toMatchObject({ outcome: 'exhausted', stop: 'max-turns', answer: undefined, text: '' });
  });

  it('a last reply in prose is', async () => {
    const { result } = await play({ context: 'x', limits: { maxTurns: 1 }, root: [cell('n = 1'), 'It was Ada.'] });
    expect(result).toMatchObject({ answer: 'It was Ada.' });
  });
});
