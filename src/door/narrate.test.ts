import { describe, expect, it } from 'vitest';
import type { EventBody, RunEvent } from '../event/event.ts';
import { narrate } from './narrate.ts';

const replied = (turn: number, text: string): EventBody => ({
  ...{ type: 'model.replied', turn, text, model: 'm', finishReason: 'stop', durationMs: 1 },
});
const delta = (turn: number, text: string, attempt = 1): EventBody => ({ type: 'model.delta', turn, attempt, text });

async function thoughts(...events: readonly (EventBody & { readonly runId?: string })[]): Promise<readonly string[]> {
  const run = {
    id: 'R1',
    async *[Symbol.asyncIterator]() {
      for (const event of events) yield { runId: 'R1', ...event } as RunEvent;
    },
  };
  const found: string[] = [];
  for await (const { turn, text } of narrate(run)) found.push(`${turn} ${text}`);
  return found;
}

describe('the narration of a run', () => {
  it('has each reply once, piece by piece', async () => {
    expect(await thoughts(delta(1, 'I '), delta(1, 'look.'), replied(1, 'I look.'), delta(2, 'Done.'))).toEqual([
      ...['1 I ', '1 look.', '2 Done.'],
    ]);
  });

  it('has the whole reply where pieces are missing or none came', async () => {
    expect(await thoughts(replied(1, 'I look.'))).toEqual(['1 I look.']);
    expect(await thoughts(delta(1, 'I '), replied(1, 'I look.'))).toEqual(['1 I ', '1 look.']);
    expect((await thoughts(delta(1, 'I '), delta(1, 'k.'), replied(1, 'I look.'))).join('')).toMatch(/I look\.$/);
  });

  it('says that a reply broke off and begins again', async () => {
    const found = await thoughts(delta(1, 'I lo'), delta(1, 'I look.', 2), replied(1, 'I look.'));
    expect(found).toEqual(['1 I lo', '1 \n[The reply broke off and is sent again.]\n', '1 I look.']);
  });

  it('leaves the part after the first block out where the reply ends there', async () => {
    expect(await thoughts(delta(1, 'a\nb'), replied(1, 'a'))).toEqual(['1 a\nb']);
  });

  it('has a line for each command, and no turn of a child', async () => {
    const cell = { type: 'cell.completed', turn: 1, shown: '', stdout: '', stderr: '', timedOut: false } as const;
    expect(
      await thoughts(
        { ...cell, id: 't1.0', ok: true, subCalls: 3, failedSubCalls: 1, durationMs: 1_500 },
        {
          ...cell,
          id: 't1.1',
          ok: false,
          subCalls: 0,
          failedSubCalls: 0,
          durationMs: 20,
          error: { type: 'KeyError', message: 'x' },
        },
        { ...delta(1, 'of a child'), runId: 'R2' },
      ),
    ).toEqual(['1 \n[t1.0: ok, 3 sub-calls, 1 failed, 1.5 s]\n', '1 \n[t1.1: KeyError, 0.0 s]\n']);
  });
});
