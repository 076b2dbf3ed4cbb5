import { expect, test } from 'vitest';
import { createChildSlots } from './child-slots.ts';

const NEVER = new AbortController().signal;

test('slots are given first come, first served, per depth', async () => {
  const slots = createChildSlots(2);
  const order: string[] = [];
  const enter = async (name: string, depth: number): Promise<() => void> => {
    const leave = await slots.enter(depth, NEVER);
    order.push(name);
    return leave;
  };
  const [leaveA] = await Promise.all([enter('a', 1), enter('b', 1)]);
  const c = enter('c', 1);
  const d = enter('d', 1);
  await enter('deeper', 2);
  expect(order).toEqual(['a', 'b', 'deeper']);
  leaveA();
  (await c)();
  await d;
  expect(order).toEqual(['a', 'b', 'deeper', 'c', 'd']);
});

test('who gives up the wait leaves no gap', async () => {
  const slots = createChildSlots(1);
  const leave = await slots.enter(1, NEVER);
  const controller = new AbortController();
  const given = slots.enter(1, controller.signal);
  const after = slots.enter(1, NEVER);
  controller.abort(new Error('no more'));
  await expect(given).rejects.toThrow('no more');
  leave();
  (await after)();
  await slots.enter(1, NEVER);
});
