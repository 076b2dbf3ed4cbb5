import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../limits.ts';
import type { ReplHost, ReplLimits } from '../port.ts';
import { renderShown } from '../shown.ts';
import { createBlobStore } from './blob-store.ts';
import { createFrameDecoder, encodeFrame, FrameType, WITH_RUNTIME } from './frame.ts';
import { createGuestLink, type GuestLink } from './guest-link.ts';
import { MAX_GUEST_HEADER, MAX_SPOOLS } from './limits.ts';
import { parseAllVariables, parseAnswerFound, parseOutcome } from './results.ts';

const LIMITS: ReplLimits = { ...DEFAULT_LIMITS, outputChars: 1_000, callWindow: 8 };
const HUGE = 4_000_000;
const unasked = (): never => {
  throw new Error('nothing is asked for');
};
const host: ReplHost = {
  subCall: unasked,
  callTool: unasked,
  checkAnswer: unasked,
  readHistory: unasked,
  readProjection: unasked,
};

/** A link whose guest is the test, with one command under way. */
function openLink(onOutput?: (text: string) => void) {
  const killed: string[] = [];
  const link: GuestLink = createGuestLink({
    limits: LIMITS,
    host,
    write: () => {},
    unread: () => 0,
    interrupt: () => {},
    kill: (reason) => killed.push(reason),
  });
  const result = link.command({
    op: 'execute',
    ...(onOutput === undefined ? {} : { onOutput: (_stream: string, text: string) => onOutput(text) }),
  });
  result.catch(() => {});
  const guest = (type: number, id: number, header: unknown, ...parts: Buffer[]): void =>
    link.receive(encodeFrame(type, id, JSON.stringify(header), parts));
  const end = (header: object, ...texts: string[]) => {
    const parts = texts.map((text) => Buffer.from(text));
    guest(FrameType.result, 1, { ...header, parts: parts.map((part) => part.length) }, ...parts);
    return result;
  };
  return { link, guest, end, result, killed };
}

describe('texts of a forged result', () => {
  const huge = 'm'.repeat(HUGE);

  test('an error is cut to outputChars, whatever its parts are', async () => {
    const { end } = openLink();
    const outcome = parseOutcome(
      await end({ ok: false, error: { type: 't'.repeat(50_000) }, variables: [] }, huge, huge),
      LIMITS,
    );
    expect(outcome.error?.type.length).toBeLessThanOrEqual(201);
    expect(outcome.error?.message.length).toBeLessThan(600);
    expect(outcome.error?.traceback.length).toBeLessThan(1_100);
    expect(renderShown(outcome, LIMITS, 't1.0').length).toBeLessThan(1_300);
  });

  test('a value keeps its two ends, and a continuation takes outputChars', async () => {
    const { end } = openLink();
    const outcome = parseOutcome(
      await end({ ok: true, value: true, continue: true, variables: [] }, huge, huge),
      LIMITS,
    );
    expect(outcome.value?.length).toBeLessThan(1_100_000);
    expect(outcome.continueWith?.length).toBeLessThan(1_100);
  });

  test('names, types and previews of variables, and rebound names, are cut', async () => {
    const { end } = openLink();
    const row = { name: 'n'.repeat(10_000), type: 't'.repeat(10_000), preview: 'p'.repeat(10_000) };
    const names = Array.from({ length: 400 }, () => 'r'.repeat(50));
    const { variables, rebound } = parseOutcome(await end({ ok: true, variables: [row], rebound: names }), LIMITS);
    expect(Object.values(variables?.[0] ?? {}).map((text) => String(text).length)).toEqual([201, 201, 201]);
    expect(rebound).toHaveLength(50);
  });

  test('a list of all variables is bounded by bytes', async () => {
    const { end, killed } = openLink();
    const rows = JSON.stringify(Array.from({ length: 2_000 }, (_, index) => ({ name: `v${index}`, type: 'int' })));
    expect(parseAllVariables(await end({}, rows))).toHaveLength(2_000);
    expect(killed).toEqual([]);
    const more = await openLink().end({}, `[${'{},'.repeat(500_000)}{}]`);
    expect(() => parseAllVariables(more)).toThrow('longer than 1048576 bytes');
  });

  test.each([
    ['names of an unbound answer', { kind: 'unbound', names: ['n'.repeat(60_000)] }],
    ['the type of a value that is not data', { kind: 'not-data', type: 'n'.repeat(60_000) }],
    ['the code of a failure', { error: { code: 'repl-failure', message: 'n'.repeat(60_000) } }],
  ])('%s are cut as well', async (_name, header) => {
    const result = await openLink().end(header);
    const said = (() => {
      try {
        return JSON.stringify(parseAnswerFound(result, LIMITS));
      } catch (error) {
        return String(error);
      }
    })();
    expect(said.length).toBeLessThan(2_200);
    expect(said).toContain('n'.repeat(200));
  });

  test('a watcher of output gets outputBytes of it per command', () => {
    let seen = 0;
    const { guest } = openLink((text) => {
      seen += text.length;
    });
    for (let piece = 0; piece < 40; piece += 1) {
      guest(FrameType.output, 1, { stream: 'stdout' }, Buffer.alloc(1024 * 1024, 'x'));
    }
    expect(seen).toBe(LIMITS.outputBytes);
  });
});

describe('headers', () => {
  const frame = (type: number, bytes: number): Buffer =>
    encodeFrame(type, 1, `{"op":"tool","pad":"${'x'.repeat(bytes - 22)}"}`);

  test.each(Object.values(FrameType).filter((type) => type < FrameType.runtime))(
    'a frame of type %d has a header of at most 64 KiB',
    (type) => {
      const frames: number[] = [];
      const decode = (bytes: number): void =>
        createFrameDecoder(WITH_RUNTIME).push(frame(type, bytes), ({ header }) => {
          frames.push(JSON.stringify(header).length);
        });
      decode(MAX_GUEST_HEADER);
      expect(frames).toEqual([MAX_GUEST_HEADER]);
      expect(() => decode(MAX_GUEST_HEADER + 1)).toThrow(`longer than ${MAX_GUEST_HEADER} bytes`);
    },
  );

  test('a runtime frame may have more, where the stream carries them', () => {
    const runtime = frame(FrameType.runtime, 10 * MAX_GUEST_HEADER);
    expect(() => createFrameDecoder().push(runtime, () => {})).toThrow('longer than');
    let came = 0;
    createFrameDecoder(WITH_RUNTIME).push(runtime, () => {
      came += 1;
    });
    expect(came).toBe(1);
  });
});

const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe.skipIf(process.platform !== 'linux')('descriptors of values', () => {
  test('a guest that begins value after value has a few of them, then it is ended', () => {
    const before = descriptors();
    const { link, guest } = openLink();
    let most = 0;
    for (let id = 1; id <= 840 && link.failure === undefined; id += 1) {
      guest(FrameType.blob, id, { more: true }, Buffer.alloc(1024 * 1024 + 1));
      most = Math.max(most, descriptors() - before);
    }
    expect(most).toBe(MAX_SPOOLS);
    expect(link.failure?.message).toContain(`more than ${MAX_SPOOLS} large values`);
    expect(descriptors()).toBe(before);
  });

  test('the end of a command frees what its result does not name, and between commands nothing is kept', async () => {
    const before = descriptors();
    const { guest, result } = openLink();
    const large = Buffer.alloc(2 * 1024 * 1024, 'v');
    for (const id of [1, 2, 3]) guest(FrameType.blob, id, { more: id === 3 }, large);
    expect(descriptors() - before).toBe(3);
    guest(FrameType.result, 1, { ok: true, value: true, variables: [], parts: [{ blob: 2 }] });
    const ended = await result;
    expect(descriptors() - before).toBe(1);
    guest(FrameType.blob, 9, { more: true }, large);
    expect(descriptors() - before).toBe(1);
    expect(parseOutcome(ended, LIMITS).value?.startsWith('vvv')).toBe(true);
    expect(descriptors()).toBe(before);
  });

  test('a result that is not read frees its values when the link ends, and with the next command', async () => {
    for (const next of ['ended', 'command'] as const) {
      const before = descriptors();
      const { link, guest, result } = openLink();
      guest(FrameType.blob, 1, { more: false }, Buffer.alloc(2 * 1024 * 1024));
      guest(FrameType.result, 1, { parts: [{ blob: 1 }] });
      await result;
      expect(descriptors() - before).toBe(1);
      if (next === 'ended') link.ended('over');
      else link.command({ op: 'draft' }).catch(() => {});
      expect(descriptors()).toBe(before);
    }
  });

  test('values that were taken count until they are freed', () => {
    const store = createBlobStore(1e9);
    const large = Buffer.alloc(1024 * 1024 + 1);
    const taken = Array.from({ length: MAX_SPOOLS }, (_, id) => {
      store.add(id, large, false);
      return store.take(id);
    });
    expect(() => store.add(99, large, false)).toThrow('large values');
    for (const blob of taken) blob?.free();
    store.add(100, large, false);
    store.clear();
  });
});
