/** The wait for the first byte of a reply: a limit of its own, since models and local servers may be silent for minutes before it. */
import { describe, expect, test } from 'vitest';
import { createLedger } from '../ledger/index.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import { fakeClock, type ScriptedReply, scriptedModel } from '../test.ts';
import { callModel } from './call-model.ts';
import { ModelError } from './model-error.ts';
import { createRateControl } from './rate/rate-control.ts';
import { resolveModel } from './resolve-model.ts';

/** The waits that the attempts of one call are given, by a model that never says a word. */
async function waitsOf(local: boolean, limits: Partial<Limits> = {}): Promise<readonly (number | undefined)[]> {
  const clock = fakeClock();
  const waits: (number | undefined)[] = [];
  const model = {
    ...resolveModel(scriptedModel(['unused']), { clock }),
    local,
    attempt: (request: { readonly firstByteTimeoutMs?: number }) => {
      waits.push(request.firstByteTimeoutMs);
      return Promise.reject(
        new ModelError({ fault: 'idle', message: 'silent', data: { answered: false, begun: false } }),
      );
    },
  };
  const all = { ...DEFAULT_LIMITS, ...limits };
  const call = callModel({
    model,
    request: { messages: [{ role: 'user', content: 'Q' }], maxOutputTokens: 10 },
    account: createLedger({ limits: all, clock, onWarning: () => {} }).account({ kind: 'sub' }),
    gate: createRateControl({ clock, random: () => 0.5 })
      .openTree({ maxConcurrentCalls: 1 })
      .lane(),
    clock,
    deadline: Number.POSITIVE_INFINITY,
    limits: all,
    signal: new AbortController().signal,
    random: () => 0.5,
  });
  let over = false;
  call.catch(() => (over = true));
  for (let step = 0; step < 100 && !over; step++) await clock.advance(clock.nextInMs ?? 0);
  await expect(call).rejects.toMatchObject({ fault: 'idle' });
  return waits;
}

describe('the wait for the first byte', () => {
  test.each([
    ['of a provider: two minutes', false, {}, 120_000],
    ['of a local server: the time of the whole call', true, {}, DEFAULT_LIMITS.callTimeoutMs],
    ['of a local server, with --call-timeout', true, { callTimeoutMs: 900_000 }, 900_000],
    ['as the caller sets it', false, { callFirstByteTimeoutMs: 7_000 }, 7_000],
    ['as the caller sets it, of a local server too', true, { callFirstByteTimeoutMs: 7_000 }, 7_000],
  ])('%s', async (_, local, limits, first) => {
    expect((await waitsOf(local, limits))[0]).toBe(first);
  });

  test('doubles after each silent attempt of a call', async () => {
    const waits = await waitsOf(false, { callFirstByteTimeoutMs: 1_000 });
    expect(waits.length).toBeGreaterThan(1);
    expect(waits).toEqual(waits.map((_, attempt) => 1_000 * 2 ** attempt));
  });

  test.each([1_000, 75_000, 600_000])('of %i ms: its message names the limit', async (firstByteTimeoutMs) => {
    const clock = fakeClock();
    const model = resolveModel(
      scriptedModel(() => new Promise<ScriptedReply>(() => {})),
      { clock },
    );
    const attempt = model.attempt({
      messages: [{ role: 'user', content: 'Q' }],
      maxOutputTokens: 10,
      signal: new AbortController().signal,
      idleTimeoutMs: 500,
      firstByteTimeoutMs,
    });
    attempt.catch(() => {});
    await clock.advance(firstByteTimeoutMs - 1);
    expect(clock.pending).toBeGreaterThan(0);
    await clock.advance(1);
    await expect(attempt).rejects.toThrow('before the reply began (limit callFirstByteTimeoutMs)');
  });
});
