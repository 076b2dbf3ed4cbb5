import { describe, expect, test } from 'vitest';
import { budgetError, estimate, flush, leftOf, modelOf, never, now, open, unpriced, used } from './testing.ts';

const free = modelOf('test/free', { input: 0, output: 0 });

describe('room', () => {
  test('is held for the worst case and given back when the call settles for less', async () => {
    const { ledger } = open({ maxTokens: 1_000, maxCostUsd: 0.002 });
    const reservation = await ledger.account({ kind: 'root' }).reserve(estimate(100, 800), never);
    expect(leftOf(ledger)).toEqual({ calls: undefined, tokens: 100, costUsd: 0.0003, ms: undefined });
    reservation.settle(used(100, 50));
    expect(leftOf(ledger)).toMatchObject({ tokens: 850, costUsd: 0.0018 });
  });

  test('is refused before anything is sent, with what is left and what was needed', async () => {
    const { ledger } = open({ maxTokens: 1_000 });
    (await ledger.account({ kind: 'root' }).reserve(estimate(100, 100), never)).settle(used(100, 100));
    const error = budgetError(await now(ledger.account({ kind: 'root' }).reserve(estimate(500, 301), never)));
    expect(error).toMatchObject({ code: 'budget', budget: true, retryable: false, resource: 'tokens' });
    expect(error.data).toEqual({
      resource: 'tokens',
      limitName: 'maxTokens',
      limit: 1_000,
      spent: 200,
      reserved: 0,
      kept: 0,
      left: 800,
      needed: 801,
    });
    expect(error.message).toBe(
      'The call was not sent: it could need 801 tokens, and 800 are left; 200 of 1000 tokens (maxTokens) ' +
        'are spent. Send less, ask for a shorter reply, or raise maxTokens.',
    );
  });

  test('in money is refused in US dollars', async () => {
    const { ledger } = open({ maxCostUsd: 0.5 });
    const error = budgetError(await now(ledger.account({ kind: 'root' }).reserve(estimate(500_001, 0), never)));
    expect(error.data).toMatchObject({ resource: 'cost', limit: 0.5, spent: 0, left: 0.5, needed: 0.500001 });
  });

  test('is held to the last token and nano-dollar', async () => {
    const { ledger } = open({ maxTokens: 1_000_000, maxCostUsd: 0.3 });
    const tenCents = estimate(100_000, 0);
    for (let call = 0; call < 3; call += 1) await ledger.account({ kind: 'root' }).reserve(tenCents, never);
    expect(leftOf(ledger)).toMatchObject({ tokens: 700_000, costUsd: 0 });
  });

  test('of nothing is always there, also when the limit has been passed', async () => {
    const { ledger } = open({ maxCostUsd: 0.001 });
    (await ledger.account({ kind: 'root' }).reserve(estimate(1_000, 0), never)).settle(used(5_000, 0));
    await ledger.account({ kind: 'root' }).reserve(estimate(1_000, 1_000, free), never);
  });

  test('fractions of tokens are rounded up, and invalid numbers are refused', async () => {
    const { ledger } = open({ maxTokens: 10 });
    await ledger.account({ kind: 'root' }).reserve(estimate(0.2, 1.5), never);
    expect(leftOf(ledger).tokens).toBe(7);
    await expect(ledger.account({ kind: 'root' }).reserve(estimate(Number.NaN, 1), never)).rejects.toThrow(TypeError);
    await expect(ledger.account({ kind: 'root' }).reserve(estimate(1, -1), never)).rejects.toThrow(TypeError);
    expect(() => ledger.holdFinal(estimate(1, Number.POSITIVE_INFINITY))).toThrow(TypeError);
  });

  test('returns how much output could be paid for', async () => {
    const { ledger } = open({ maxTokens: 1_000, maxCostUsd: 0.0015 });
    const child = ledger.child({ limits: { maxTokens: 600 } });
    ledger.holdFinal(estimate(100, 100));
    const { model } = estimate(0, 0);
    // Money: 1.5 - 0.3 thousandths of a dollar, 0.2 of them for the input, leave 500 tokens at 2 USD per million.
    expect(ledger.account({ kind: 'root' }).affordableOutputTokens(model, 200)).toBe(500);
    expect(ledger.account({ kind: 'final' }).affordableOutputTokens(model, 200)).toBe(650);
    expect(child.account({ kind: 'root' }).affordableOutputTokens(model, 200)).toBe(400);
    expect(child.account({ kind: 'root' }).affordableOutputTokens(unpriced, 900)).toBe(0);
    expect(open().ledger.account({ kind: 'root' }).affordableOutputTokens(model, 9)).toBe(Number.POSITIVE_INFINITY);
    await ledger.account({ kind: 'root' }).reserve(estimate(200, 500), never);
  });

  test('an unknown price is an error where money is limited', async () => {
    const { ledger } = open({ maxCostUsd: 1 });
    const refused = ledger
      .child()
      .account({ kind: 'root' })
      .reserve(estimate(1, 1, unpriced), never);
    await expect(refused).rejects.toMatchObject({
      code: 'price-unknown',
      userAction: true,
      message:
        `The limit maxCostUsd needs the price of every model, and that of ${unpriced.id} is not known. ` +
        `Give it in prices: { '${unpriced.id}': { input, output } } (USD per million tokens), or drop maxCostUsd.`,
    });
    expect(ledger.usage().calls).toBe(0);
  });

  test('an unknown price is allowed where each reply reports its cost: the first call holds all that is left', async () => {
    const { ledger } = open({ maxCostUsd: 1 });
    const reporting = { ...unpriced, reportsCost: true };
    const account = ledger.child().account({ kind: 'root' });
    const held = await account.reserve(estimate(1, 1, reporting), never);
    let second = false;
    const waiting = account.reserve(estimate(1, 1, reporting), never).then((reservation) => {
      second = true;
      return reservation;
    });
    await Promise.resolve();
    expect(second).toBe(false);
    held.settle({ usage: { inputTokens: 1, outputTokens: 1, costUsd: 0.25, estimated: false } });
    (await waiting).release();
    expect(ledger.usage().costUsd).toBe(0.25);
  });
});

describe('waiting', () => {
  test('lasts while only calls in flight are in the way, and ends in room', async () => {
    const { ledger } = open({ maxTokens: 1_000 });
    const first = await ledger.account({ kind: 'root' }).reserve(estimate(0, 900), never);
    const second = ledger.account({ kind: 'root' }).reserve(estimate(0, 500), never);
    expect(await now(second)).toBe('pending');
    first.settle(used(0, 500));
    (await second).release();
    expect(ledger.budget('tokens')).toMatchObject({ spent: 500, reserved: 0, left: 500 });
  });

  test('ends in a refusal when what settled leaves too little', async () => {
    const { ledger } = open({ maxTokens: 1_000 });
    const first = await ledger.account({ kind: 'root' }).reserve(estimate(0, 900), never);
    const second = ledger.account({ kind: 'root' }).reserve(estimate(0, 500), never);
    const third = ledger.account({ kind: 'root' }).reserve(estimate(0, 300), never);
    first.settle(used(0, 700));
    expect(budgetError(await now(second)).data).toMatchObject({ spent: 700, left: 300, reserved: 0, needed: 500 });
    await third;
  });

  test('is first come, first served: a small call does not overtake a large one', async () => {
    const { ledger } = open({ maxTokens: 1_000 });
    const order: string[] = [];
    const ask = async (name: string, tokens: number) => {
      const reservation = await ledger.account({ kind: 'root' }).reserve(estimate(tokens, 0), never);
      order.push(name);
      return reservation;
    };
    const first = await ask('first', 600);
    const large = ask('large', 1_000);
    const small = [1, 2, 3].map((number) => ask(`small ${number}`, 100));
    await flush();
    expect(order).toEqual(['first']);
    first.release();
    (await large).release();
    await Promise.all(small);
    expect(order).toEqual(['first', 'large', 'small 1', 'small 2', 'small 3']);
  });

  test('for one child is in the way of that child only', async () => {
    const { ledger } = open({ maxTokens: 1_000 });
    const [a, b] = [ledger.child({ limits: { maxTokens: 100 } }), ledger.child()];
    await a.account({ kind: 'root' }).reserve(estimate(80, 0), never);
    const waits = a.account({ kind: 'root' }).reserve(estimate(80, 0), never);
    await b.account({ kind: 'root' }).reserve(estimate(80, 0), never);
    await ledger.account({ kind: 'root' }).reserve(estimate(80, 0), never);
    expect(await now(waits)).toBe('pending');
  });

  test('ends with the reason of its signal, and frees the place', async () => {
    const { ledger } = open({ maxTokens: 1_000 });
    const first = await ledger.account({ kind: 'root' }).reserve(estimate(600, 0), never);
    const controller = new AbortController();
    const large = ledger.account({ kind: 'root' }).reserve(estimate(1_000, 0), controller.signal);
    const small = ledger.account({ kind: 'root' }).reserve(estimate(100, 0), never);
    expect(await now(small)).toBe('pending');
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await now(large)).toBe(reason);
    (await small).release();
    first.release();
    await expect(ledger.account({ kind: 'root' }).reserve(estimate(1, 0), controller.signal)).rejects.toBe(reason);
    expect(leftOf(ledger).tokens).toBe(1_000);
  });

  test('ends for all calls that share a signal, and none of them is served on the way', async () => {
    const { ledger } = open({ maxTokens: 10_000 });
    const first = await ledger.account({ kind: 'root' }).reserve(estimate(10_000, 0), never);
    const controller = new AbortController();
    const children = Array.from({ length: 20 }, () => ledger.child());
    const all = children.flatMap((child) =>
      Array.from({ length: 500 }, () => child.account({ kind: 'root' }).reserve(estimate(1, 0), controller.signal)),
    );
    controller.abort();
    const outcomes = await Promise.allSettled(all);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    first.release();
    expect(ledger.budget('tokens')).toMatchObject({ spent: 0, reserved: 0 });
  });

  test('keeps its order when several leave at different completions', async () => {
    const { ledger } = open({ maxTokens: 1_000 });
    const child = ledger.child();
    const controller = new AbortController();
    const ask = (at: typeof ledger, tokens: number, signal: AbortSignal) =>
      at.account({ kind: 'root' }).reserve(estimate(tokens, 0), signal);
    await ask(ledger, 600, never);
    const leaving = [ask(ledger, 1_000, controller.signal), ask(child, 1_000, controller.signal)];
    const [first, second] = [ask(child, 400, never), ask(ledger, 400, never)];
    controller.abort();
    await Promise.allSettled(leaving);
    expect(await now(second)).toBe('pending');
    (await first).release();
    await second;
  });

  test('costs little however many wait', async () => {
    const { ledger } = open({ maxTokens: 10_000 });
    const child = ledger.child();
    const first = await ledger.account({ kind: 'root' }).reserve(estimate(10_000, 0), never);
    const start = performance.now();
    const all = Array.from({ length: 20_000 }, (_, index) =>
      (index % 2 ? ledger : child).account({ kind: 'root' }).reserve(estimate(10_000, 0), never),
    );
    first.release();
    for (const call of all) (await call).release();
    // About 60 ms here; quadratic work would take minutes.
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(leftOf(ledger).tokens).toBe(10_000);
  });

  test('ends when the completion is closed, and nothing is paid after that', async () => {
    const { ledger } = open({ maxTokens: 100 });
    const child = ledger.child();
    const inFlight = await child.account({ kind: 'root' }).reserve(estimate(80, 0), never);
    const waits = child.account({ kind: 'root' }).reserve(estimate(80, 0), never);
    const sibling = ledger.account({ kind: 'root' }).reserve(estimate(60, 0), never);
    child.close();
    await expect(waits).rejects.toMatchObject({ code: 'cancelled' });
    await expect(child.account({ kind: 'final' }).reserve(estimate(1, 0), never)).rejects.toMatchObject({
      code: 'cancelled',
    });
    const grandchild = child.child().account({ kind: 'root' });
    await expect(grandchild.reserve(estimate(1, 0), never)).rejects.toMatchObject({ code: 'cancelled' });
    inFlight.settle(used(30, 0));
    (await sibling).settle(used(60, 0));
    expect(ledger.usage()).toMatchObject({ inputTokens: 90, calls: 2 });
  });
});

describe('a reservation', () => {
  test('is settled once; a release after that does nothing', async () => {
    const { ledger } = open({ maxTokens: 100 });
    const settled = await ledger.account({ kind: 'root' }).reserve(estimate(10, 10), never);
    settled.settle(used(5, 5));
    settled.release();
    expect(() => settled.settle(used(5, 5))).toThrow(TypeError);
    const released = await ledger.account({ kind: 'root' }).reserve(estimate(10, 10), never);
    released.release();
    released.release();
    expect(() => released.settle(used(5, 5))).toThrow(TypeError);
    expect(ledger.budget('tokens')).toMatchObject({ spent: 10, reserved: 0, left: 90 });
  });

  test('books what was used beyond the estimate', async () => {
    const { ledger } = open({ maxTokens: 100 });
    (await ledger.account({ kind: 'root' }).reserve(estimate(50, 50), never)).settle(used(80, 90));
    expect(ledger.budget('tokens')).toMatchObject({ spent: 170, left: 0 });
    expect(leftOf(ledger).tokens).toBe(0);
  });

  test('takes the estimate where the usage is not a valid count', async () => {
    const { ledger } = open();
    const reservation = await ledger.account({ kind: 'root' }).reserve(estimate(50, 40), never);
    reservation.settle({ usage: { inputTokens: -5, outputTokens: Number.NaN, cachedTokens: 1e300, estimated: false } });
    expect(ledger.usage()).toMatchObject({ inputTokens: 50, outputTokens: 40, estimated: 1 });
    expect(ledger.usage()).not.toHaveProperty('cachedTokens');
  });

  test('weighs on all above', async () => {
    const { ledger } = open({ maxTokens: 100 });
    const child = ledger.child({ limits: { maxTokens: 1_000 } });
    const grandchild = child.child({ limits: { maxTokens: 90 } });
    const reservation = await grandchild.account({ kind: 'root' }).reserve(estimate(70, 0), never);
    expect([ledger, child, grandchild].map((one) => leftOf(one).tokens)).toEqual([30, 30, 20]);
    expect(grandchild.budget('tokens').limit).toBe(90);
    expect(child.budget('tokens').limit).toBe(100);
    reservation.settle(used(60, 0));
    expect([ledger, child, grandchild].map((one) => one.usage().inputTokens)).toEqual([60, 60, 60]);
  });
});
