import { expect, test } from 'vitest';
import { type ReplPlace, replPlace } from '../admission/repl-places.ts';
import { createChildSlots } from './child-slots.ts';

const NEVER = new AbortController().signal;
const ROOM = { enterChild: async () => replPlace(() => undefined) };

test('slots are given first come, first served, per depth', async () => {
  const slots = createChildSlots(2, ROOM);
  const order: string[] = [];
  const enter = async (name: string, depth: number): Promise<ReplPlace> => {
    const place = await slots.enter(depth, NEVER);
    order.push(name);
    return place;
  };
  const [a] = await Promise.all([enter('a', 1), enter('b', 1)]);
  const c = enter('c', 1);
  const d = enter('d', 1);
  await enter('deeper', 2);
  expect(order).toEqual(['a', 'b', 'deeper']);
  a.leave();
  (await c).leave();
  await d;
  expect(order).toEqual(['a', 'b', 'deeper', 'c', 'd']);
});

test('a caller that gives up its wait leaves no gap', async () => {
  const slots = createChildSlots(1, ROOM);
  const first = await slots.enter(1, NEVER);
  const controller = new AbortController();
  const given = slots.enter(1, controller.signal);
  const after = slots.enter(1, NEVER);
  controller.abort(new Error('no more'));
  await expect(given).rejects.toThrow('no more');
  first.leave();
  (await after).leave();
  await slots.enter(1, NEVER);
});

test('a child that gives up its wait for a REPL releases its slot', async () => {
  const full = createChildSlots(1, { enterChild: (_level, signal) => Promise.reject(signal.reason) });
  const first = AbortSignal.abort(new Error('first'));
  await expect(full.enter(1, first)).rejects.toThrow('first');
  let asked = 0;
  const slots = createChildSlots(1, {
    enterChild: async () => {
      asked += 1;
      if (asked === 1) throw new Error('no room');
      return replPlace(() => undefined);
    },
  });
  await expect(slots.enter(1, NEVER)).rejects.toThrow('no room');
  await slots.enter(1, NEVER);
});
