import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FrameType } from './frame.ts';
import { setUp, start } from './guest-link.testing.ts';

describe('the link', () => {
  test('sends a command and gives its result with its output', async () => {
    const { link, sent, guest } = setUp();
    const result = start(link);
    expect(sent[0]).toMatchObject({ type: FrameType.command, header: { op: 'execute', first_id: 1 } });
    const id = sent[0]?.id ?? 0;
    guest(FrameType.output, id, { stream: 'stdout' }, Buffer.from('out'));
    guest(FrameType.output, id + 7, { stream: 'stdout' }, Buffer.from('of another command'));
    guest(FrameType.result, id, { ok: true });
    expect(await result).toMatchObject({ fields: { ok: true }, stdout: { text: 'out' }, stopped: undefined });
  });

  test('answers what is ready in one tick in one frame', async () => {
    const { link, calls, ask, tick, sent } = setUp();
    start(link);
    for (let id = 1; id <= 4; id += 1) ask(id);
    for (const call of calls.slice(0, 3)) call.reply('r');
    await tick();
    const frames = sent.filter((frame) => frame.type === FrameType.reply);
    expect(frames).toHaveLength(1);
    expect(frames[0]?.header).toMatchObject({ replies: [{ id: 1 }, { id: 2 }, { id: 3 }] });
  });

  test('refuses requests when no command runs, without asking the host', async () => {
    const { calls, ask, tick, replies, link } = setUp();
    ask(1);
    await tick();
    expect(calls).toHaveLength(0);
    expect(replies()).toMatchObject([{ id: 1, ok: false }]);
    expect(link.failure).toBeUndefined();
  });

  test('aborts open calls when their cell ends and never answers them', async () => {
    const { link, calls, ask, tick, replies, guest, sent } = setUp();
    const result = start(link);
    ask(1);
    guest(FrameType.result, sent[0]?.id ?? 0, { ok: true });
    await result;
    expect(calls[0]?.signal.aborted).toBe(true);
    calls[0]?.reply('too late');
    await tick();
    expect(replies()).toEqual([]);
  });

  test('sends the guest the ids that are free after it was rolled back', async () => {
    const { link, guest, sent, ask, calls } = setUp();
    const first = start(link);
    ask(5);
    guest(FrameType.result, sent[0]?.id ?? 0, {});
    await first;
    start(link);
    expect(sent.at(-1)?.header).toMatchObject({ first_id: 6 });
    expect(calls).toHaveLength(1);
  });

  test('does not count time while a request is open', async () => {
    const { link, clock, ask, calls, tick, events } = setUp();
    start(link);
    await clock.advance(900);
    ask(1);
    await clock.advance(10_000);
    expect(events).toEqual([]);
    calls[0]?.reply('r');
    await tick();
    await clock.advance(50);
    expect(events).toEqual([]);
    await clock.advance(51);
    expect(events).toEqual(['interrupt']);
  });

  test('interrupts at the deadline, then kills', async () => {
    const { link, clock, events, guest, sent } = setUp();
    const result = start(link);
    await clock.advance(1_000);
    expect(events).toEqual(['interrupt']);
    guest(FrameType.result, sent[0]?.id ?? 0, { ok: false });
    expect((await result).stopped).toBe('deadline');
    await clock.advance(10_000);
    expect(events).toEqual(['interrupt']);

    start(link);
    await clock.advance(1_000);
    await clock.advance(1_000);
    expect(events.slice(1)).toEqual(['interrupt', expect.stringContaining('kill')]);
  });

  test('answers open calls as cancelled when the caller gives the cell up', async () => {
    const { link, ask, tick, replies, events, calls } = setUp();
    const abort = new AbortController();
    link.command({ op: 'execute', signal: abort.signal }).catch(() => {});
    ask(1);
    abort.abort();
    ask(2);
    await tick();
    expect(replies()).toMatchObject([
      { id: 1, ok: false },
      { id: 2, ok: false },
    ]);
    expect(calls).toHaveLength(1);
    expect(events).toEqual(['interrupt']);
  });

  test('rejects the command with what was printed when the guest is gone', async () => {
    const { link, guest, sent } = setUp();
    const result = start(link);
    guest(FrameType.output, sent[0]?.id ?? 0, { stream: 'stderr' }, Buffer.from('last words'));
    link.ended('it was killed');
    await expect(result).rejects.toMatchObject({ code: 'repl-failure', record: { stderr: { text: 'last words' } } });
    await expect(link.command({ op: 'draft' })).rejects.toMatchObject({ code: 'repl-failure' });
  });

  test('serves batches, chats, children and large values', async () => {
    const { link, guest, calls } = setUp();
    start(link);
    const parts = ['sys', 'a', 'b'].map((text) => Buffer.from(text));
    const entry = { kind: 'llm', system: true, batch: [3, 5, 9], count: 2 };
    guest(FrameType.request, 1, { op: 'calls', calls: [entry], parts: [3, 1, 1] }, ...parts);
    expect(calls.map(({ call }) => call)).toEqual([
      { kind: 'llm', prompt: 'a', system: 'sys', batch: { id: 3, index: 5, count: 9 } },
      { kind: 'llm', prompt: 'b', system: 'sys', batch: { id: 3, index: 6, count: 9 } },
    ]);
    guest(FrameType.blob, 3, { more: true }, Buffer.alloc(1_000_000, 'x'));
    guest(FrameType.blob, 3, { more: false }, Buffer.alloc(1_000_000, 'y'));
    const child = { kind: 'rlm', context: 'text' };
    guest(FrameType.request, 4, { op: 'calls', calls: [child], parts: [1, { blob: 3 }] }, Buffer.from('q'));
    const { call, reply } = calls.at(-1) ?? {};
    if (call?.kind !== 'rlm' || call.context?.kind !== 'file') throw new Error('no file');
    expect(readFileSync(call.context.path, 'utf8')).toBe('x'.repeat(1_000_000) + 'y'.repeat(1_000_000));
    reply?.('done');
    await new Promise((resolve) => setImmediate(resolve));
    expect(existsSync(call.context.path)).toBe(false);
  });
});
