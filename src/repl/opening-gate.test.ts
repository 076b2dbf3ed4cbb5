import { expect, test } from 'vitest';
import { createOpeningGate } from './opening-gate.ts';

test('at most so many open at once, in the order they came, also behind failures', async () => {
  const gate = createOpeningGate(2);
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const open = (number: number): Promise<number> =>
    gate(async () => {
      order.push(number);
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      if (number % 3 === 0) throw new Error('no');
      return number;
    });
  const ends = await Promise.allSettled(Array.from({ length: 10 }, (_, number) => open(number)));
  expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(6);
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(most).toBe(2);
});

test('who gives up the wait leaves at once and takes no turn', async () => {
  const gate = createOpeningGate(1);
  const held = Promise.withResolvers<void>();
  const first = gate(() => held.promise);
  const controller = new AbortController();
  const given = gate(() => Promise.reject(new Error('it was opened')), controller.signal);
  const last = gate(async () => 'last');
  controller.abort(new Error('given up'));
  await expect(given).rejects.toThrow('given up');
  held.resolve();
  await first;
  expect(await last).toBe('last');
});
