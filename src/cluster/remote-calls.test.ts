import { describe, expect, it } from 'vitest';
import type { Mailbox } from './mailbox.ts';
import { RemoteCalls } from './remote-calls.ts';

const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

describe('calls of other processes', () => {
  it('that wait for an answer end with their connection, and keep no process alive', async () => {
    const calls = new RemoteCalls(async () => null);
    calls.open({ id: 'own', post: async () => undefined } as unknown as Mailbox);
    const before = timers();
    const call = { method: 'pace.enter', body: null, waitMs: 600_000 };
    const asked = calls.ask('another', call);
    expect(timers()).toBe(before + 1);
    calls.close();
    await expect(asked).rejects.toMatchObject({ code: 'cancelled' });
    expect(timers()).toBe(before);
    await expect(calls.ask('another', call)).rejects.toMatchObject({ code: 'cancelled' });
  });
});
