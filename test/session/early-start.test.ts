/** A completion of a session that is cancelled while its reply arrives: what its first cell did is there after a reopening. */
import { expect, it, vi } from 'vitest';
import { cell } from '../engine/harness.ts';
import { pacedModel } from '../engine/paced-model.ts';
import { onEachBackend } from './on-each-backend.ts';
import { reopener } from './reopening-harness.ts';

vi.setConfig({ testTimeout: 120_000 });

await onEachBackend(({ repl }) => {
  const { made, reopened } = reopener(repl);

  it('replays a cell that ran before its reply was complete', async () => {
    let ran = (): void => undefined;
    const hasRun = new Promise<void>((resolve) => {
      ran = resolve;
    });
    const model = pacedModel([
      async function* ({ signal }) {
        yield `${cell('kept = [1, 2]')}\n`;
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    ]);
    const there = await made({ options: { model } }, async (session) => {
      const run = session.completion({ query: 'q', context: 'x' });
      void (async () => {
        for await (const event of run) if (event.type === 'cell.completed') ran();
      })().catch(() => undefined);
      await hasRun;
      run.cancel();
      await expect(run).rejects.toMatchObject({ code: 'cancelled' });
      expect((await session.execute('kept')).value).toBe('[1, 2]');
    });
    const { session, diverged, close } = await reopened(there);
    expect(diverged()).toEqual([]);
    expect((await session.execute('kept')).value).toBe('[1, 2]');
    expect(model.calls).toBe(1);
    await close();
  });
});
