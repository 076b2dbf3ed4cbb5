import { expect, test } from 'vitest';
import { fakeClock } from '../../test-doubles/fake-clock.ts';
import { colorsFor } from '../screen/console.ts';
import { eventOf, lastLineShown, streamTo } from '../screen/testing.ts';
import { briefNarrator } from './narrator.ts';
import { createProgressView, QUIET_MS } from './progress-view.ts';

function viewOn(interactive: boolean, columns = 80) {
  const written: string[] = [];
  const stream = streamTo(written, { isTTY: interactive, columns });
  const clock = fakeClock();
  const narrator = briefNarrator({ colors: colorsFor(stream, { NO_COLOR: '1' }), stream, interactive });
  return { view: createProgressView({ stream, clock, interactive, narrator }), clock, written };
}

const PROGRESS = { type: 'run.progress', turn: 1, maxTurns: 30, fraction: 0, status: 'asking the model' } as const;
const TURN = { type: 'turn.completed', turn: 1, feedback: '', durationMs: 1_500 } as const;

test('a terminal shows one line that follows the run, without escape sequences', async () => {
  const { view, clock, written } = viewOn(true);
  expect(lastLineShown(written)).toBe('0:00 starting');
  view.event(eventOf(PROGRESS));
  await clock.advance(3_000);
  expect(lastLineShown(written)).toBe('0:03 turn 1/30 · asking the model');
  expect(written.join('')).not.toContain('\u001b');
});

test('a terminal that does not know its columns shows the line as well', () => {
  expect(lastLineShown(viewOn(true, 0).written)).toBe('0:00 starting');
});

test('lines that stay push the live line down, and nothing of it is left at the end', async () => {
  const { view, clock, written } = viewOn(true);
  view.event(eventOf(PROGRESS));
  view.event(eventOf(TURN));
  await clock.advance(100);
  expect(lastLineShown(written)).toContain('asking the model');
  view.end();
  expect(lastLineShown(written)).toBe('');
  expect(written.join('')).toContain('done in 1.5 s');
  const before = written.length;
  await clock.advance(5_000);
  expect(written.length).toBe(before);
});

test('the live line never wraps', async () => {
  const { view, clock, written } = viewOn(true, 20);
  view.event(eventOf(PROGRESS));
  await clock.advance(100);
  expect(lastLineShown(written).length).toBeLessThan(20);
});

test('a pipe gets whole lines: one per turn, and one when nothing else was said for a while', async () => {
  const { view, clock, written } = viewOn(false);
  view.event(eventOf(PROGRESS));
  await clock.advance(QUIET_MS - 1);
  expect(written).toEqual([]);
  await clock.advance(1);
  view.event(eventOf(TURN));
  view.end();
  await clock.advance(QUIET_MS * 2);
  expect(written.join('')).toBe(
    '0:10 turn 1/30 · asking the model\n0:10 turn 1/30 done in 1.5 s · so far 0 sub-calls\n',
  );
});

test('a run that continues counts from where it was', () => {
  const { view, written } = viewOn(false);
  view.goOnFrom({ subCalls: 3, inputTokens: 1_000, outputTokens: 200, costUsd: 0.25 });
  view.event(eventOf(PROGRESS));
  view.event(eventOf({ ...TURN, turn: 2 }));
  view.end();
  expect(written.join('')).toBe('0:00 turn 2/30 done in 1.5 s · so far 3 sub-calls, 1.20k tokens, $0.25\n');
});
