/** A link whose guest is the test. */
import { type FakeClock, fakeClock } from '../../test-doubles/fake-clock.ts';
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

interface AskedCall {
  readonly call: SubCallRequest;
  readonly signal: AbortSignal;
  readonly reply: (text: string) => void;
}

/** A link, both of its ends, and what happened to them. */
export interface LinkSetUp {
  readonly link: GuestLink;
  readonly clock: FakeClock;
  /** Frames to the guest. */
  readonly sent: readonly Frame[];
  readonly events: readonly string[];
  readonly calls: readonly AskedCall[];
  /** Sends a frame as the guest. */
  readonly guest: (type: number, id: number, header: unknown, ...parts: Buffer[]) => void;
  /** Asks for a flat call as the guest. */
  readonly ask: (id: number, text?: string) => void;
  readonly tick: () => Promise<void>;
  readonly replies: () => readonly { readonly id: number; readonly ok: boolean }[];
}

/** A link whose guest is the test. */
export function setUp(host: Partial<ReplHost> = {}, unread = (): number => 0): LinkSetUp {
  const clock = fakeClock();
  const sent: Frame[] = [];
  const events: string[] = [];
  const calls: AskedCall[] = [];
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

/** Starts a command; that it is rejected is for the test to see. */
export function start(link: GuestLink): Promise<GuestResult> {
  const running = link.command({ op: 'execute' });
  running.catch(() => {});
  return running;
}
