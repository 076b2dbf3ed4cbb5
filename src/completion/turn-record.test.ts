import { describe, expect, it } from 'vitest';
import { noteText } from '../prompt/index.ts';
import { SubCallTally } from '../subcall/tally.ts';
import type { SubCall } from '../trajectory.ts';
import { completedEvent, type ExecutedCommand, historyCommand, journalCommand } from './executed-command.ts';
import { TurnRecord, trajectoryCommand } from './turn-record.ts';

const SUB_CALL: SubCall = {
  ...{ id: 'r/c1', kind: 'llm', model: 'scripted/sub', prompt: 'p', reply: '', ok: false, durationMs: 1 },
  usage: { inputTokens: 1, outputTokens: 0, costUsd: 0 },
};
const CELL: ExecutedCommand = {
  ...{ id: 't1.0', command: { type: 'cell', code: 'x' }, ok: false, failed: true, label: 'cell', timedOut: true },
  ...{ shown: 'head … tail', output: 'head middle tail', stdout: 'head middle tail', stderr: '', durationMs: 7 },
  error: { type: 'ValueError', message: 'no', traceback: 'Traceback: ValueError: no' },
  subCalls: [SUB_CALL, { ...SUB_CALL, ok: true }],
  asked: { singleCalls: 2, longestPrompt: 1 },
  restarted: { reason: 'memory', lost: 'all' },
  rebound: ['context'],
  variables: [{ name: 'a', type: 'int' }],
};
const BASH: ExecutedCommand = {
  ...{ id: 't1.1', command: { type: 'bash', command: 'ls' }, ok: true, failed: false, label: 'bash', timedOut: false },
  ...{ shown: 'f', output: 'f', stdout: 'f', stderr: '', durationMs: 1, subCalls: [] },
  asked: { singleCalls: 0, longestPrompt: 0 },
};

describe('an executed command', () => {
  it('is projected to its event, without the traceback and with its calls counted', () => {
    expect(completedEvent(1, CELL)).toEqual({
      ...{ type: 'cell.completed', turn: 1, id: 't1.0', ok: false, shown: 'head … tail', stdout: 'head middle tail' },
      ...{ stderr: '', error: { type: 'ValueError', message: 'no' }, subCalls: 2, failedSubCalls: 1 },
      ...{ durationMs: 7, timedOut: true },
    });
  });

  it('is projected to the trajectory with its traceback and its calls', () => {
    expect(trajectoryCommand(CELL)).toEqual({
      ...{ id: 't1.0', command: CELL.command, ok: false, shown: 'head … tail', stdout: 'head middle tail', stderr: '' },
      ...{ error: CELL.error, subCalls: CELL.subCalls, durationMs: 7 },
    });
  });

  it('is projected to history with its whole output, and to the journal with what was shown', () => {
    expect(historyCommand(CELL)).toEqual({
      ...{ id: 't1.0', kind: 'cell', ok: false, code: CELL.command.type === 'cell' && CELL.command.code },
      ...{ output: 'head middle tail', error: { type: CELL.error?.type, message: CELL.error?.message } },
    });
    expect(journalCommand('t1.0', CELL.command, CELL)).toEqual({
      ...{ id: 't1.0', source: 'x', shown: 'head … tail', ok: false, timedOut: true, restarted: true },
    });
    expect(journalCommand('t1.1', { type: 'snapshot', name: 's' }, BASH).source).toBe('{"type":"snapshot","name":"s"}');
  });
});

describe('the record of a turn', () => {
  it('counts what the limits on turns look at', () => {
    const record = new TurnRecord({ number: 1, startedAt: 0 });
    record.addExecuted(CELL);
    record.addExecuted(BASH);
    record.addVerdict({ refused: 'no', code: 'refused', errors: ['n: missing'] });
    expect(record.counts(new SubCallTally())).toMatchObject({
      ...{ ran: 2, cellsOk: 0, cellsFailed: 1, refusedAnswer: true, invalidAnswers: [['n: missing']] },
      queryRefused: false,
    });
    expect([record.failed, record.ranCode]).toEqual([true, true]);
  });

  it('says what was restarted, what was reserved and why an answer was refused, in the order in which it came', () => {
    const record = new TurnRecord({ number: 1, startedAt: 0 });
    record.addExecuted(CELL);
    record.addVerdict({ refused: 'Your answer was not taken.', code: 'refused' });
    expect(record.notes.map((note) => noteText(note).slice(0, 22))).toEqual([
      ...['The REPL was restarted', '`context` is reserved;', 'Your answer was not ta'],
    ]);
  });

  it('asks for a draft only after a command that may have left one', () => {
    const drafted = (...commands: readonly ExecutedCommand[]): boolean | undefined => {
      const record = new TurnRecord({ number: 1, startedAt: 0 });
      for (const command of commands) record.addExecuted(command);
      return record.mayHaveDraft;
    };
    const { restarted: _, ...ran } = CELL;
    const none: ExecutedCommand = { ...ran, drafted: false };
    const back: ExecutedCommand = { ...BASH, command: { type: 'rollback', name: 's' } };
    expect([drafted(), drafted(BASH)]).toEqual([undefined, undefined]);
    expect([drafted(none), drafted(none, BASH)]).toEqual([false, false]);
    expect([drafted(ran), drafted({ ...ran, drafted: true }), drafted(CELL)]).toEqual([true, true, true]);
    expect([drafted(none, back), drafted(back, none)]).toEqual([true, false]);
    expect(drafted(none, { ...BASH, restarted: { reason: 'memory', lost: 'all' } })).toBe(true);
    const refused = new TurnRecord({ number: 1, startedAt: 0 });
    refused.addExecuted(none);
    refused.addVerdict({ refused: 'no', code: 'refused' });
    expect(refused.mayHaveDraft).toBe(true);
  });

  it('keeps the variables of the last cell that reported them, and an answer given beside nothing that ran', () => {
    const record = new TurnRecord({ number: 1, startedAt: 0 });
    record.addExecuted(CELL);
    record.addExecuted(BASH);
    expect(record.variables).toEqual(CELL.variables);
    const alone = new TurnRecord({ number: 1, startedAt: 0 });
    alone.commands.push({
      id: 't1.0',
      command: { type: 'final-var', name: 'x' },
      ok: false,
      shown: 'no such variable',
    });
    expect(alone.executed).toEqual([]);
    expect(alone.commands.map(trajectoryCommand)).toMatchObject([
      { id: 't1.0', shown: 'no such variable', subCalls: [] },
    ]);
  });
});
