import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import type { ReplHost, ReplLimits, SubCallReply, SubCallRequest } from '../port.ts';
import { createFrameDecoder, encodeFrame, type Frame, FrameType } from './frame.ts';
import type { GuestResult } from './guest-command.ts';
import { createGuestLink, type GuestLink } from './guest-link.ts';

const LIMITS: ReplLimits = {
  cellTimeoutMs: 1_000,
  outputChars: 1_000,
  outputBytes: 1_000,
  promptBytes: 10_000,
  maxBatchItems: 100,
  answerBytes: 1_000,
  memoryBytes: 1e9,
  maxProcesses: 8,
  diskBytes: 5_000_000,
  maxSnapshots: 2,
  callWindow: 8,
};

/** A clock that a test moves. */
function testClock() {
  let now = 0;
  let timers: { at: number; run: () => void }[] = [];
  return {
    now: () => now,
    schedule(ms: number, run: () => void) {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
    advance(ms: number) {
      now += ms;
      for (const timer of timers.filter((each) => each.at <= now)) {
        timers = timers.filter((each) => each !== timer);
        timer.run();
      }
    },
  };
}

/** A link whose guest is the test. */
function setUp(host: Partial<ReplHost> = {}, unread = () => 0) {
  const clock = testClock();
  const sent: Frame[] = [];
  const events: string[] = [];
  const calls: { call: SubCallRequest; signal: AbortSignal; reply: (text: string) => void }[] = [];
  const decoder = createFrameDecoder({ maxFrame: 2 ** 31, maxHeader: 2 ** 31 });
  const usage = { inputTokens: 1, outputTokens: 1, costUsd: null };
  const link: GuestLink = createGuestLink({
    limits: LIMITS,
    clock,
    host: {
      subCall: (call, signal) =>
        new Promise<SubCallReply>((resolve) => {
          calls.push({ call, signal, reply: (text) => resolve({ ok: true, text, truncated: false, usage }) });
        }),
      callTool: async () => null,
      checkAnswer: async () => ({ errors: [] }),
      readHistory: async () => 0,
      readProjection: async () => 0,
      ...host,
    },
    write: (bytes) => decoder.push(Buffer.from(bytes), (frame) => sent.push(frame)),
    unread,
    interrupt: () => events.push('interrupt'),
    kill: (reason) => events.push(`kill: ${reason}`),
  });
  const guest = (type: number, id: number, header: unknown, ...parts: Buffer[]): void =>
    link.receive(encodeFrame(type, id, JSON.stringify(header), parts));
  const ask = (id: number, text = 'q'): void =>
    guest(FrameType.request, id, { op: 'calls', calls: [{ kind: 'llm' }], parts: [text.length] }, Buffer.from(text));
  const tick = () => new Promise<void>((resolve) => setImmediate(resolve));
  const replies = () =>
    sent
      .filter((frame) => frame.type === FrameType.reply)
      .flatMap((frame) => (frame.header as { replies: { id: number; ok: boolean }[] }).replies);
  return { link, clock, sent, events, calls, guest, ask, tick, replies };
}

let running: Promise<GuestResult> | undefined;
function start(link: GuestLink): Promise<GuestResult> {
  running = link.command({ op: 'execute' });
  running.catch(() => {});
  return running;
}
afterEach(() => {
  running = undefined;
});

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

  test('tells the guest which ids are free after it was rolled back', async () => {
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
    clock.advance(900);
    ask(1);
    clock.advance(10_000);
    expect(events).toEqual([]);
    calls[0]?.reply('r');
    await tick();
    clock.advance(50);
    expect(events).toEqual([]);
    clock.advance(51);
    expect(events).toEqual(['interrupt']);
  });

  test('interrupts at the deadline, then kills', async () => {
    const { link, clock, events, guest, sent } = setUp();
    const result = start(link);
    clock.advance(1_000);
    expect(events).toEqual(['interrupt']);
    guest(FrameType.result, sent[0]?.id ?? 0, { ok: false });
    expect((await result).stopped).toBe('deadline');
    clock.advance(10_000);
    expect(events).toEqual(['interrupt']);

    start(link);
    clock.advance(1_000);
    clock.advance(1_000);
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
    ['a chat that is no chat', FrameType.request, 1, call({ kind: 'llm', chat: true }, [2]).header, '{}'],
    ['a negative history index', FrameType.request, 1, { op: 'history', read: 'items', start: -1, stop: 2 }],
    ['a history range that runs back', FrameType.request, 1, { op: 'history', read: 'items', start: 3, stop: 2 }],
    ['tool arguments that are a list', FrameType.request, 1, { op: 'tool', name: 't', parts: [2] }, '[]'],
    ['an answer that is no JSON', FrameType.request, 1, { op: 'check-answer', form: 'json', parts: [1] }, '{'],
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
      expect(link.failure?.message).toContain('does not read its replies');
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
