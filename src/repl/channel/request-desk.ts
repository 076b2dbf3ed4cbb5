import type { Clock } from '../../clock.ts';
import { RlmError } from '../../errors.ts';
import { lostDigits } from '../../json-digits.ts';
import type { JsonValue, ReplHost, ReplLimits, SubCallReply } from '../port.ts';
import { encodeFrame, type Frame, FrameType } from './frame.ts';
import { ChannelViolation } from './limits.ts';
import type { PartReader } from './parts.ts';
import { callEntry, errorFields, failedEntry, jsonOf } from './reply-entries.ts';
import { type GuestRequest, type ParsedCall, parseRequest } from './requests.ts';
import type { Fields } from './shape.ts';

/** Requests other than sub-calls that one guest may have open: threads can wait for tools and reads. */
const MAX_OPEN = 10_000;
/** With this many requests open, a frame for each reply costs more than the wait for its neighbours. */
const MANY_OPEN = 8;
/**
 * Bytes that the host holds for one guest at a time, in requests that it serves and in replies that wait to be read.
 * Honest guests wait for what they asked for, and stay far below.
 */
const MAX_HELD = 512 * 1024 * 1024;
const NO_PARTS: readonly Buffer[] = [];

/** Serves the requests of one cell at a time. */
export interface RequestDesk {
  /** A command starts: requests are served from here on. */
  open(onWaiting: (waiting: boolean) => void): void;
  /** The command is over: what is open is aborted and never answered; later requests are refused. */
  close(): void;
  /** The caller gave the cell up: what is open is aborted and answered as cancelled. */
  cancel(reason: string): void;
  /** @throws ChannelViolation */
  handle(frame: Frame, fields: Fields, parts: PartReader): number;
}

interface Open {
  readonly kind: 'call' | 'other';
  /** Of the request, which is held until it is answered. */
  readonly bytes: number;
  readonly controller: AbortController;
}

interface Ready {
  readonly entry: string;
  readonly parts: readonly Buffer[];
  readonly id: number;
}

/** The options of a desk. */
export interface RequestDeskOptions {
  readonly host: ReplHost;
  readonly limits: ReplLimits;
  readonly clock: Clock;
  readonly write: (frame: Buffer) => void;
  /** Bytes written that the guest has not read. */
  readonly unread: () => number;
  /** The guest has broken a rule at a moment when it sent nothing. */
  readonly violated: (violation: ChannelViolation) => void;
}

/** A desk for one guest. */
export function createRequestDesk(options: RequestDeskOptions): RequestDesk {
  const { host, limits, clock, write, unread, violated } = options;
  const open = new Map<number, Open>();
  const timers = new Map<number, () => void>();
  let calls = 0;
  let serving = false;
  let cancelled: string | undefined;
  let onWaiting: (waiting: boolean) => void = () => {};
  let ready: Ready[] = [];
  /** Bytes of requests that are open, and of replies that are ready. */
  let held = 0;

  function flush(): void {
    if (ready.length === 0) return;
    const batch = ready;
    ready = [];
    for (const each of batch) held -= sizeOf(each);
    const parts = batch.length === 1 && batch[0] !== undefined ? batch[0].parts : batch.flatMap((reply) => reply.parts);
    const entries = batch.length === 1 ? (batch[0]?.entry ?? '') : batch.map((reply) => reply.entry).join(',');
    const header = `{"replies":[${entries}],"parts":[${parts.map((part) => part.length).join(',')}]}`;
    write(encodeFrame(FrameType.reply, batch[0]?.id ?? 0, header, parts));
    if (open.size === 0) onWaiting(false);
  }

  /** Replies share a frame: those of one tick, and of one round of the event loop while many others are awaited. */
  function reply(id: number, entry: string, parts: readonly Buffer[]): void {
    const one = { id, entry, parts };
    ready.push(one);
    held += sizeOf(one);
    if (held + unread() > MAX_HELD) violated(new ChannelViolation('it sends requests and does not read the replies'));
    if (ready.length > 1) return;
    if (open.size < MANY_OPEN) process.nextTick(flush);
    else setImmediate(flush);
  }

  function settle(id: number, entry: Open, text: string, parts: readonly Buffer[] = NO_PARTS): void {
    if (open.get(id) !== entry) return;
    open.delete(id);
    if (entry.kind === 'call') calls -= 1;
    held -= entry.bytes;
    reply(id, text, parts);
  }

  function fail(id: number, entry: Open, error: unknown): void {
    settle(id, entry, failedEntry(id, errorFields(error)));
  }

  function begin(id: number, kind: Open['kind'], bytes: number): Open {
    const entry: Open = { kind, bytes, controller: new AbortController() };
    held += bytes;
    if (open.size === 0) onWaiting(true);
    open.set(id, entry);
    return entry;
  }

  function serveCall(id: number, call: ParsedCall): void {
    // Its texts are bounded by callWindow and promptBytes.
    const entry = begin(id, 'call', call.bytes);
    calls += 1;
    const done = (result: SubCallReply): void => {
      call.blob?.free();
      settle(id, entry, ...callEntry(id, result));
    };
    const failed = (error: unknown): void => {
      call.blob?.free();
      fail(id, entry, error);
    };
    try {
      host.subCall(call.request, entry.controller.signal).then(done, failed);
    } catch (error) {
      failed(error);
    }
  }

  async function serveValue(
    id: number,
    bytes: number,
    read: (signal: AbortSignal) => Promise<JsonValue>,
  ): Promise<void> {
    const entry = begin(id, 'other', bytes);
    try {
      const value = await read(entry.controller.signal);
      settle(id, entry, `{"id":${id},"ok":true,"parts":1}`, [Buffer.from(jsonOf(value), 'utf8')]);
    } catch (error) {
      fail(id, entry, error);
    }
  }

  function serve(id: number, request: GuestRequest, bytes: number): void {
    switch (request.op) {
      case 'calls':
        for (const [index, call] of request.calls.entries()) serveCall(id + index, call);
        return;
      case 'tool':
        void serveValue(id, bytes, async (signal) => await callTool(request, host, signal));
        return;
      case 'check-answer':
        void serveValue(id, bytes, async () => (await host.checkAnswer(request.json, request.text)).errors);
        return;
      case 'show':
        void serveValue(id, bytes, async () => await showImage(request.image, host));
        return;
      case 'history':
        void serveValue(id, bytes, () => host.readHistory(request.read));
        return;
      case 'projection':
        void serveValue(id, bytes, (signal) => host.readProjection(request.read, signal));
        return;
      case 'cancel':
        for (const each of request.ids) open.get(each)?.controller.abort(givenUp('The cell gave this call up.'));
        reply(id, `{"id":${id},"ok":true}`, NO_PARTS);
        return;
      case 'wake':
        wake(id, request.ms);
    }
  }

  function wake(id: number, ms: number): void {
    timers.set(
      id,
      clock.schedule(ms, () => {
        timers.delete(id);
        reply(id, `{"id":${id},"ok":true}`, NO_PARTS);
      }),
    );
  }

  function refuse(id: number, request: GuestRequest, message: string): void {
    const count = request.op === 'calls' ? request.calls.length : 1;
    for (let at = 0; at < count; at += 1)
      reply(id + at, failedEntry(id + at, { code: 'cancelled', message }), NO_PARTS);
    if (request.op === 'calls') for (const call of request.calls) call.blob?.free();
  }

  function abortAll(reason: string): [number, Open][] {
    const aborted = [...open];
    // One for all: with a thousand calls under way, making an error for each is what a cancel would wait for.
    const why = givenUp(reason);
    for (const [, entry] of aborted) entry.controller.abort(why);
    return aborted;
  }

  return {
    open(listener) {
      serving = true;
      cancelled = undefined;
      onWaiting = listener;
    },
    close() {
      serving = false;
      const reason = 'The cell that made this call has ended.';
      const entries = abortAll(reason);
      for (const [id] of entries) open.delete(id);
      calls = 0;
      ready = [];
      held = 0;
      for (const cancel of timers.values()) cancel();
      timers.clear();
      onWaiting = () => {};
    },
    cancel(reason) {
      cancelled = reason;
      for (const [id, entry] of abortAll(reason)) {
        settle(id, entry, failedEntry(id, { code: 'cancelled', message: reason }));
      }
    },
    handle(frame, fields, parts) {
      const request = parseRequest(fields, parts, limits);
      const count = request.op === 'calls' ? request.calls.length : 1;
      if (!serving) refuse(frame.id, request, 'The cell that made this call has ended; calls live only as long as it.');
      else if (cancelled !== undefined && request.op !== 'wake') refuse(frame.id, request, cancelled);
      else {
        if (request.op === 'calls' && calls + count > Math.max(1, limits.callWindow)) {
          throw new ChannelViolation(`more than ${limits.callWindow} calls are under way at once`);
        }
        if (open.size + timers.size > MAX_OPEN + limits.callWindow)
          throw new ChannelViolation('too many open requests');
        if (held + parts.bytesRead() + unread() > MAX_HELD)
          throw new ChannelViolation('too many bytes in open requests');
        serve(frame.id, request, parts.bytesRead());
      }
      return count;
    },
  };
}

function sizeOf(reply: Ready): number {
  return reply.parts.reduce((total, part) => total + part.length, reply.entry.length);
}

function givenUp(reason: string): RlmError {
  return new RlmError({ code: 'cancelled', message: reason });
}

async function showImage(image: Uint8Array, host: ReplHost): Promise<JsonValue> {
  if (host.showImage === undefined) throw new TypeError('show() does not work here: no model looks at this cell');
  return await host.showImage(image);
}

type ToolRequest = Extract<GuestRequest, { op: 'tool' }>;

/** Calls a tool. Arguments with lost digits reach the cell as a TypeError: what to give in their place is the tool's to say. */
async function callTool({ name, args, lost }: ToolRequest, host: ReplHost, signal: AbortSignal): Promise<JsonValue> {
  if (lost.length > 0)
    throw new TypeError(`${name}() cannot be called with these arguments: ${lost.map(lostDigits).join('; ')}`);
  return await host.callTool(name, args, signal);
}
