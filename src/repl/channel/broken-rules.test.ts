/** A guest that breaks the rules of the channel ends, and its host does not. */
import { describe, expect, test } from 'vitest';
import { encodeFrame, FrameType } from './frame.ts';
import { setUp, start } from './guest-link.testing.ts';

describe('a broken rule', () => {
  const call = (entry: unknown, parts: unknown[] = [1], body = 'q') => ({
    header: { op: 'calls', calls: [entry], parts },
    body,
  });
  const cases: [string, number, number, unknown, string?][] = [
    ['an unknown type', 9, 1, {}],
    ['a runtime frame from Python', 64, 1, {}],
    ['a command from the guest', FrameType.command, 1, { op: 'execute' }],
    ['a header that is a list', FrameType.request, 1, []],
    ['a header that is null', FrameType.output, 1, null],
    ['a result for no command', FrameType.result, 999, {}],
    ['an unknown operation', FrameType.request, 1, { op: 'exec' }],
    ['an inherited operation', FrameType.request, 1, { op: 'constructor' }],
    ['no operation', FrameType.request, 1, {}],
    ['an unknown stream', FrameType.output, 1, { stream: 'log' }],
    ['no calls', FrameType.request, 1, { op: 'calls', calls: [] }],
    ['an unknown kind', FrameType.request, 1, call({ kind: 'x' }).header, 'q'],
    ['a missing part', FrameType.request, 1, call({ kind: 'llm' }, []).header],
    ['a part too many', FrameType.request, 1, call({ kind: 'llm' }, [1, 1]).header, 'qq'],
    ['a part longer than the body', FrameType.request, 1, call({ kind: 'llm' }, [5]).header, 'q'],
    ['a fractional length', FrameType.request, 1, call({ kind: 'llm' }, [0.5]).header, 'q'],
    ['bytes no part names', FrameType.request, 1, call({ kind: 'llm' }, [1]).header, 'qqq'],
    ['a blob that never came', FrameType.request, 1, call({ kind: 'llm' }, [{ blob: 4 }]).header],
    ['a prompt above the limit', FrameType.request, 1, call({ kind: 'llm' }, [10_001]).header, 'x'.repeat(10_001)],
    [
      'a count beyond its batch',
      FrameType.request,
      1,
      call({ kind: 'llm', count: 2, batch: [1, 0, 1] }, [1, 1]).header,
      'qq',
    ],
    [
      'more calls than the window',
      FrameType.request,
      1,
      call({ kind: 'llm', count: 9, batch: [1, 0, 9] }, Array(9).fill(1)).header,
      'q'.repeat(9),
    ],
    ['a model that is a number', FrameType.request, 1, call({ kind: 'llm', model: 5 }).header, 'q'],
    ['max_tokens of nothing', FrameType.request, 1, call({ kind: 'llm', max_tokens: 0 }).header, 'q'],
    ['a chat that is an object', FrameType.request, 1, call({ kind: 'llm', chat: true }, [2]).header, '{}'],
    ['a negative history index', FrameType.request, 1, { op: 'history', read: 'items', start: -1, stop: 2 }],
    ['a history range that runs back', FrameType.request, 1, { op: 'history', read: 'items', start: 3, stop: 2 }],
    ['tool arguments that are a list', FrameType.request, 1, { op: 'tool', name: 't', parts: [2] }, '[]'],
    ['an answer that is not JSON', FrameType.request, 1, { op: 'check-answer', form: 'json', parts: [1] }, '{'],
    [
      'an answer above the limit',
      FrameType.request,
      1,
      { op: 'check-answer', form: 'string', parts: [1001] },
      'x'.repeat(1001),
    ],
    ['an id of 0', FrameType.request, 0, { op: 'history', read: 'length' }],
  ];

  test.each(cases)('ends the guest and not the host: %s', async (_name, type, id, header, body = '') => {
    const { link, guest, events, calls } = setUp();
    const result = start(link);
    guest(type, id, header, Buffer.from(body));
    await expect(result).rejects.toMatchObject({ code: 'channel-violation' });
    expect(link.failure).toMatchObject({ code: 'channel-violation', data: { reason: expect.any(String) } });
    expect(events[0]).toMatch(/^kill/);
    expect(calls.length).toBeLessThanOrEqual(8);
    guest(type, id, header, Buffer.from(body));
    expect(events).toHaveLength(1);
  });

  test('also by the last id, after which it could ask for nothing', async () => {
    const { link, guest } = setUp();
    start(link);
    guest(FrameType.request, 0xffff_fffe, { op: 'history', read: 'length' });
    expect(link.failure).toBeUndefined();
    guest(FrameType.request, 0xffff_ffff, { op: 'history', read: 'length' });
    expect(link.failure?.message).toContain('used up');
  });

  test('also by a used id, a blob without end, and too many bytes of blobs', async () => {
    const used = setUp();
    start(used.link);
    used.ask(3);
    used.ask(2);
    expect(used.link.failure?.message).toContain('used before');

    const ended = setUp();
    start(ended.link);
    ended.guest(FrameType.blob, 1, { more: false }, Buffer.from('x'));
    ended.guest(FrameType.blob, 1, { more: true }, Buffer.from('x'));
    expect(ended.link.failure?.message).toContain('after its end');

    const large = setUp();
    start(large.link);
    for (let piece = 0; piece < 6; piece += 1) large.guest(FrameType.blob, 1, { more: true }, Buffer.alloc(1_000_000));
    expect(large.link.failure?.message).toContain('diskBytes');

    const many = setUp();
    start(many.link);
    for (let id = 1; id <= 5_000; id += 1) many.guest(FrameType.blob, id, { more: true });
    expect(many.link.failure?.message).toContain('diskBytes');
  });

  test('also by replies that pile up unread, while a cell runs and after it', async () => {
    for (const running of [true, false]) {
      const { link, guest, events, tick } = setUp({ readHistory: async () => 'x' }, () => 512 * 1024 * 1024 - 10);
      if (running) start(link);
      guest(FrameType.request, 1, { op: 'history', read: 'length' });
      guest(FrameType.request, 2, { op: 'history', read: 'length' });
      await tick();
      expect(link.failure?.message).toContain('does not read the replies');
      expect(events).toHaveLength(1);
    }
  });

  test('also by requests that hold too much memory at once', () => {
    const { link, guest } = setUp({ callTool: () => new Promise(() => {}) }, () => 512 * 1024 * 1024 - 1_000);
    start(link);
    const args = Buffer.from(JSON.stringify({ text: 'x'.repeat(700) }));
    const header = { op: 'tool', name: 'slow', parts: [args.length] };
    guest(FrameType.request, 1, header, args);
    expect(link.failure).toBeUndefined();
    guest(FrameType.request, 2, header, args);
    expect(link.failure?.message).toContain('too many bytes');
  });

  test('does not let names of the prototype through', async () => {
    const { link, guest, calls } = setUp();
    start(link);
    const header =
      '{"op":"calls","calls":[{"kind":"llm","__proto__":{"model":"expensive"},"constructor":{}}],"parts":[1]}';
    link.receive(encodeFrame(FrameType.request, 1, header, [Buffer.from('q')]));
    expect(calls[0]?.call).toEqual({ kind: 'llm', prompt: 'q' });
    guest(FrameType.request, 2, { op: 'calls', calls: [{ kind: 'llm' }], parts: [1] }, Buffer.from('q'));
    expect(link.failure).toBeUndefined();
  });
});
