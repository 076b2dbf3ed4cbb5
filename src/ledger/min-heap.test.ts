import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MinHeap } from './min-heap.ts';

test('the first is the least, whatever is added, moved and taken out', () => {
  const step = fc.record({ item: fc.nat({ max: 40 }), key: fc.nat({ max: 50 }), present: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const items = Array.from({ length: 41 }, () => ({ heapIndex: -1, key: 0 }));
      const heap = new MinHeap<{ heapIndex: number; key: number }>(({ key }) => key);
      for (const { item: index, key, present } of steps) {
        const item = items[index];
        if (item === undefined) continue;
        if (present) item.key = key;
        heap.update(item, present);
        const keys = items.filter(({ heapIndex }) => heapIndex >= 0).map((one) => one.key);
        expect(heap.first()?.key).toBe(keys.length === 0 ? undefined : Math.min(...keys));
      }
    }),
    { numRuns: 500 },
  );
});
