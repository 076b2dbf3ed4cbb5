import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { watchInterrupts } from './interrupts.ts';

function watched() {
  const signals = new EventEmitter();
  const log: string[] = [];
  const interrupts = watchInterrupts({ signals, note: (line) => log.push(line), exit: () => log.push('exit') });
  const run = { finish: () => log.push('finish'), cancel: () => log.push('cancel') };
  return { signals, log, interrupts, run };
}

test('once asks for the best answer, twice stops, three times leaves', () => {
  const { signals, log, interrupts, run } = watched();
  interrupts.attach(run);
  signals.emit('SIGINT');
  expect(log).toEqual(['Asking for the best answer so far. Ctrl-C again stops at once.', 'finish']);
  expect(interrupts.signal.aborted).toBe(false);
  signals.emit('SIGINT');
  expect(log.slice(2)).toEqual(['cancel']);
  expect(interrupts.signal.aborted).toBe(true);
  signals.emit('SIGINT');
  expect(log.slice(3)).toEqual(['exit']);
});

test('before there is a run, once stops', () => {
  const { signals, log, interrupts } = watched();
  signals.emit('SIGINT');
  expect(interrupts.signal.aborted).toBe(true);
  expect(log).toEqual([]);
});

test('SIGTERM stops', () => {
  const { signals, log, interrupts, run } = watched();
  interrupts.attach(run);
  signals.emit('SIGTERM');
  expect(log).toEqual(['cancel']);
  expect(interrupts.terminated).toBe(true);
});

test('signals are given back', () => {
  const { signals, interrupts } = watched();
  interrupts.dispose();
  expect(signals.listenerCount('SIGINT') + signals.listenerCount('SIGTERM')).toBe(0);
});
