import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CallEstimate } from '../model/account.ts';
import type { ModelPrice } from '../model/port.ts';
import { BudgetError, type Ledger, type LedgerAccount } from './index.ts';
import { estimate, modelOf, open } from './testing.ts';

/** How the provider behaves, one entry per attempt, over and over. */
interface Behaviour {
  readonly result: 'answer' | 'fail' | 'fail free' | 'never sent' | 'cancel';
  /** Share of the worst case that is used, in percent. */
  readonly percent: number;
  readonly turns: number;
}

/** A provider that keeps its own account, and a completion engine that makes calls in a tree of three levels. */
class Simulation {
  readonly billed: { tokens: number; nano: number; calls: number } = { tokens: 0, nano: 0, calls: 0 };
  lastCalls = 0;
  sent = 0;
  readonly #behaviours: readonly Behaviour[];
  readonly #scheduler: fc.Scheduler;
  readonly #estimates: { readonly call: CallEstimate; readonly last: CallEstimate };
  #attempts = 0;

  constructor(
    behaviours: readonly Behaviour[],
    scheduler: fc.Scheduler,
    estimates: { readonly call: CallEstimate; readonly last: CallEstimate },
  ) {
    this.#behaviours = behaviours;
    this.#scheduler = scheduler;
    this.#estimates = estimates;
  }

  /** A completion: turns, each with sub-calls in parallel, and a last call when something does not fit. */
  async complete(ledger: Ledger, signal: AbortSignal): Promise<void> {
    ledger.holdFinal(this.#estimates.last);
    const { turns } = this.#next();
    try {
      for (let turn = 0; turn < turns; turn += 1) {
        await this.#call(ledger.account({ kind: 'root' }), this.#estimates.call, signal);
        await this.#subCalls(ledger, signal);
      }
    } catch (error) {
      if (!(error instanceof BudgetError)) throw error;
      await this.#call(ledger.account({ kind: 'final' }), this.#estimates.last, signal);
      if (ledger.depth === 0) this.lastCalls += 1;
    } finally {
      ledger.close();
    }
  }

  async #subCalls(ledger: Ledger, signal: AbortSignal): Promise<void> {
    const calls = Array.from({ length: 3 }, async () => {
      const ticket = ledger.openSubCall();
      if (ticket instanceof BudgetError) throw ticket;
      try {
        if (ledger.depth === 2) {
          await this.#call(ledger.account({ kind: 'sub', ticket }), this.#estimates.call, signal);
        } else {
          ticket.sent();
          await this.complete(ledger.child(), signal);
        }
      } finally {
        ticket.close();
      }
    });
    const outcomes = await Promise.allSettled(calls);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected' && outcome.reason instanceof BudgetError) throw outcome.reason;
    }
  }

  /** A call with one retry. */
  async #call(account: LedgerAccount, worst: CallEstimate, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; attempt < 2; attempt += 1) if (await this.#attempt(account, worst, signal)) return;
    throw new Error('The provider fails.');
  }

  async #attempt(account: LedgerAccount, worst: CallEstimate, signal: AbortSignal): Promise<boolean> {
    const { result, percent } = this.#next();
    const controller = new AbortController();
    const asked = account.reserve(worst, AbortSignal.any([signal, controller.signal]));
    if (result === 'cancel') this.#scheduler.schedule(Promise.resolve()).then(() => controller.abort());
    const reservation = await asked;
    await this.#scheduler.schedule(Promise.resolve());
    if (result === 'never sent' || controller.signal.aborted) {
      reservation.release();
      return false;
    }
    this.sent += 1;
    const used = result === 'fail free' ? 0 : percent / 100;
    const usage = {
      inputTokens: Math.floor(worst.inputTokens * used),
      outputTokens: Math.floor(worst.maxOutputTokens * used),
      estimated: false,
    };
    this.billed.tokens += usage.inputTokens + usage.outputTokens;
    this.billed.nano += usage.inputTokens * 1_000 + usage.outputTokens * 2_000;
    this.billed.calls += 1;
    reservation.settle({ usage });
    return result === 'answer';
  }

  #next(): Behaviour {
    const behaviour = this.#behaviours[this.#attempts % this.#behaviours.length];
    this.#attempts += 1;
    return behaviour ?? { result: 'answer', percent: 100, turns: 1 };
  }
}

const behaviour = fc.record({
  result: fc.oneof(
    { weight: 6, arbitrary: fc.constant('answer' as const) },
    { weight: 3, arbitrary: fc.constantFrom('fail', 'fail free', 'never sent', 'cancel') },
  ),
  percent: fc.nat({ max: 100 }),
  turns: fc.integer({ min: 1, max: 3 }),
});

test('a tree of three levels with failures and cancels ends with the provider’s own account', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(behaviour, { minLength: 1, maxLength: 30, size: 'max' }),
      fc.scheduler(),
      fc.record({ maxTokens: fc.integer({ min: 1_000, max: 20_000 }), maxSubCalls: fc.integer({ min: 0, max: 60 }) }),
      fc.option(fc.nat({ max: 200 })),
      async (behaviours, scheduler, limits, cancelAt) => {
        const { ledger } = open({ ...limits, maxCostUsd: 0.015 });
        const estimates = { call: estimate(300, 400), last: estimate(300, 100) };
        const simulation = new Simulation(behaviours, scheduler, estimates);
        const controller = new AbortController();
        if (cancelAt !== null)
          scheduler.schedule(Promise.resolve(), `cancel ${cancelAt}`).then(() => controller.abort());
        const run = simulation.complete(ledger, controller.signal).catch((error: unknown) => error);
        await scheduler.waitFor(run);
        await scheduler.waitIdle();
        const { inputTokens, outputTokens, costUsd, calls } = ledger.usage();
        expect([inputTokens + outputTokens, calls]).toEqual([simulation.billed.tokens, simulation.billed.calls]);
        expect(costUsd).toBe(simulation.billed.nano / 1e9);
        expect(inputTokens + outputTokens).toBeLessThanOrEqual(limits.maxTokens);
        expect(costUsd).toBeLessThanOrEqual(0.015);
        expect(ledger.subCalls).toBeLessThanOrEqual(limits.maxSubCalls);
        for (const resource of ['calls', 'tokens', 'cost'] as const) expect(ledger.budget(resource).reserved).toBe(0);
      },
    ),
    { numRuns: 300 },
  );
}, 60_000);

test('1.00 USD for calls of 0.40 in three levels is never passed, and the last call is still paid', async () => {
  // 100 000 tokens in and 150 000 out: 0.40 USD at worst; the last call: 0.1 + 0.002048 USD.
  const estimates = { call: estimate(100_000, 150_000), last: estimate(100_000, 1_024) };
  const always = fc.record({
    result: fc.constant('answer' as const),
    percent: fc.constantFrom(100, 100, 60),
    turns: fc.constant(3),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(always, { minLength: 1, maxLength: 9 }),
      fc.scheduler(),
      async (behaviours, scheduler) => {
        const { ledger } = open({ maxCostUsd: 1 });
        const simulation = new Simulation(behaviours, scheduler, estimates);
        await scheduler.waitFor(simulation.complete(ledger, new AbortController().signal));
        await scheduler.waitIdle();
        const { costUsd } = ledger.usage();
        expect(costUsd).toBeLessThanOrEqual(1);
        expect(costUsd).toBeGreaterThan(0.6);
        expect(simulation.lastCalls).toBe(1);
      },
    ),
    { numRuns: 200 },
  );
}, 60_000);

test('what the calls cost adds up to the total, for any prices', async () => {
  const price = fc.double({ min: 0, max: 100, noNaN: true });
  const prices = fc.array(fc.record({ input: price, output: price }), { minLength: 1, maxLength: 4 });
  const calls = fc.array(fc.record({ model: fc.nat(), depth: fc.nat({ max: 4 }), input: fc.nat(), output: fc.nat() }), {
    size: 'medium',
  });
  await fc.assert(
    fc.asyncProperty(prices, calls, async (of: readonly ModelPrice[], all) => {
      const path = [open().ledger];
      for (let depth = 1; depth <= 4; depth += 1) path.push((path[depth - 1] ?? open().ledger).child());
      let previous = 0;
      let sum = 0;
      for (const { model: index, depth, input, output } of all) {
        const model = modelOf(`m${index % of.length}`, of[index % of.length]);
        const ledger = path[depth] ?? open().ledger;
        const inputTokens = input % 100_000;
        const outputTokens = output % 10_000;
        const signal = new AbortController().signal;
        const reservation = await ledger
          .account({ kind: 'root' })
          .reserve(estimate(inputTokens, outputTokens, model), signal);
        reservation.settle({ usage: { inputTokens, outputTokens, estimated: false } });
        const total = Math.round((path[0]?.usage().costUsd ?? Number.NaN) * 1e9);
        sum += total - previous;
        previous = total;
      }
      const usage = path[0]?.usage();
      const nano = (parts: Readonly<Record<string, { readonly costUsd: number | null }>> = {}) =>
        Object.values(parts).reduce((total, part) => total + Math.round((part.costUsd ?? Number.NaN) * 1e9), 0);
      expect(nano(usage?.byModel)).toBe(sum);
      expect(nano(usage?.byDepth)).toBe(sum);
    }),
  );
});
