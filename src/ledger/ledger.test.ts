import { expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import type { Model } from '../model/port.ts';
import { createLedger } from './index.ts';

const model: Model = {
  id: 'test/m',
  provider: 'test',
  price: { input: 1, output: 2 },
  contextTokens: undefined,
  attempt: () => Promise.reject(new Error('not called')),
};
const never = new AbortController().signal;

test('reserves and settles', async () => {
  const ledger = createLedger({ limits: { maxTokens: 1000 }, clock: systemClock, onWarning: () => {} });
  const account = ledger.account({ kind: 'sub' });
  const reservation = await account.reserve({ model, inputTokens: 100, maxOutputTokens: 800 }, never);
  expect(ledger.left().tokens).toBe(100);
  const waits = ledger.account({ kind: 'sub' }).reserve({ model, inputTokens: 100, maxOutputTokens: 700 }, never);
  reservation.settle({ usage: { inputTokens: 100, outputTokens: 50, estimated: false } });
  (await waits).release();
  expect(ledger.usage()).toMatchObject({ inputTokens: 100, outputTokens: 50, costUsd: 0.0002, calls: 1 });
  expect(ledger.subCalls).toBe(1);
  await expect(account.reserve({ model, inputTokens: 900, maxOutputTokens: 1 }, never)).rejects.toMatchObject({
    code: 'budget',
    data: { resource: 'tokens', left: 850, needed: 901 },
  });
});
