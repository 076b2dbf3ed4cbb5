import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Reservation } from '../model/account.ts';
import { BudgetError, type CallKind, type Ledger } from './index.ts';
import { type ReferenceAttempt, ReferenceLedger, type ReferenceNode } from './reference.testing.ts';
import { estimate, flush, leftOf, modelOf, open } from './testing.ts';

/** 1 USD per million in and 3 out: 1 000 and 3 000 nano-dollars per token. */
const model = modelOf('test/m', { input: 1, output: 3 });
const costOf = (input: number, output: number) => input * 1_000 + output * 3_000;

const limit = fc.option(fc.integer({ min: 40, max: 250 }), { nil: undefined, freq: 2 });
const limits = fc.record({ tokens: limit, cost: limit });
const small = fc.integer({ min: 0, max: 20 });
const little = fc.integer({ min: 0, max: 4 });
const pick = fc.nat({ max: 1_000 });
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('child' as const), at: pick, limits }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('reserve' as const),
      at: pick,
      kind: fc.constantFrom<CallKind>('root', 'sub', 'sub', 'final'),
      input: small,
      output: small,
      signal: fc.nat({ max: 5 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      which: pick,
      input: little,
      output: little,
      beyond: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), which: pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const), signal: fc.nat({ max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('keep' as const), at: pick, input: small, output: small }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), at: pick }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Limits = typeof limits extends fc.Arbitrary<infer T> ? T : never;

interface Pair {
  readonly real: Ledger;
  readonly reference: ReferenceNode;
}
interface Call {
  readonly reference: ReferenceAttempt;
  readonly input: number;
  readonly output: number;
  readonly signal: number;
  outcome: Reservation | Error | undefined;
}

/** Does the same to the real ledger and to the reference. */
class World {
  readonly nodes: Pair[] = [];
  readonly calls: Call[] = [];
  readonly reference: ReferenceLedger = new ReferenceLedger();
  overspent = false;
  #controllers = Array.from({ length: 6 }, () => new AbortController());

  constructor(root: Limits) {
    this.nodes.push({ real: open(ledgerLimits(root)).ledger, reference: referenceNode(undefined, root) });
  }

  run(action: Step): void {
    if (action.do === 'child') this.#child(this.#node(action.at), action.limits);
    else if (action.do === 'reserve') this.#reserve(this.#node(action.at), action);
    else if (action.do === 'settle') this.settle(this.#held(action.which), action);
    else if (action.do === 'release') this.#release(this.#held(action.which));
    else if (action.do === 'abort') this.abort(action.signal);
    else if (action.do === 'keep') this.#keep(this.#node(action.at), action.input, action.output);
    else this.#close(this.#node(action.at));
  }

  held(): Call[] {
    return this.calls.filter(({ reference }) => reference.fate === 'held');
  }

  settle(call: Call | undefined, used: { input: number; output: number; beyond: boolean }): void {
    if (call === undefined) return;
    const input = used.beyond ? used.input : Math.min(used.input, call.input);
    const output = used.beyond ? used.output : Math.min(used.output, call.output);
    if (input > call.input || output > call.output) this.overspent = true;
    reservationOf(call).settle({ usage: { inputTokens: input, outputTokens: output, estimated: false } });
    this.reference.end(call.reference, { tokens: input + output, cost: costOf(input, output) });
  }

  abort(signal: number): void {
    this.#controllers[signal]?.abort(new Error('aborted'));
    this.#controllers[signal] = new AbortController();
    this.reference.abort(this.calls.filter((call) => call.signal === signal).map(({ reference }) => reference));
  }

  #node(at: number): Pair {
    const node = this.nodes[at % this.nodes.length];
    if (node === undefined) throw new Error('no node');
    return node;
  }

  #held(which: number): Call | undefined {
    const held = this.held();
    return held[which % held.length];
  }

  #child(parent: Pair, own: Limits): void {
    this.nodes.push({
      real: parent.real.child({ limits: ledgerLimits(own) }),
      reference: referenceNode(parent.reference, own),
    });
  }

  #reserve({ real, reference: node }: Pair, { kind, input, output, signal }: Step & { do: 'reserve' }): void {
    if (isClosed(node)) return;
    const reference = this.reference.reserve({
      node,
      isFinal: kind === 'final',
      tokens: input + output,
      cost: costOf(input, output),
    });
    const call: Call = { reference, input, output, signal, outcome: undefined };
    this.calls.push(call);
    const abort = this.#controllers[signal]?.signal ?? AbortSignal.abort();
    const book = (outcome: Reservation | Error) => {
      call.outcome = outcome;
    };
    real
      .account({ kind })
      .reserve(estimate(input, output, model), abort)
      .then(book, book);
  }

  #release(call: Call | undefined): void {
    if (call === undefined) return;
    reservationOf(call).release();
    reservationOf(call).release();
    this.reference.end(call.reference, { tokens: 0, cost: 0 });
  }

  #keep({ real, reference }: Pair, input: number, output: number): void {
    real.holdFinal(estimate(input, output, model));
    reference.kept = { tokens: input + output, cost: costOf(input, output) };
    this.reference.serve();
  }

  #close({ real, reference }: Pair): void {
    if (reference.parent === undefined) return;
    real.close();
    reference.closed = true;
    this.reference.abort(this.reference.attempts.filter(({ node }) => node === reference));
  }

  check(): void {
    const expected = this.calls.map(({ reference }) => (reference.fate === 'done' ? 'held' : reference.fate));
    expect(this.calls.map(fateOf)).toEqual(expected);
    for (const { real, reference } of this.nodes) this.#checkNode(real, reference);
  }

  #checkNode(real: Ledger, node: ReferenceNode): void {
    const usage = real.usage();
    expect(usage.inputTokens + usage.outputTokens).toBe(node.tokens);
    expect(Math.round((usage.costUsd ?? Number.NaN) * 1e9)).toBe(node.cost);
    for (const value of Object.values(leftOf(real))) expect(value ?? 0).toBeGreaterThanOrEqual(0);
    if (this.overspent) return;
    expect(node.tokens + this.reference.reserved(node).tokens).toBeLessThanOrEqual(node.tokenLimit);
    expect(node.cost + this.reference.reserved(node).cost).toBeLessThanOrEqual(node.costLimit);
  }
}

function reservationOf({ outcome }: Call): Reservation {
  if (outcome === undefined || outcome instanceof Error)
    throw new Error('The ledger did not grant what the reference did.');
  return outcome;
}

function fateOf({ outcome }: Call): string {
  if (outcome === undefined) return 'waiting';
  if (outcome instanceof BudgetError) return 'refused';
  return outcome instanceof Error ? 'aborted' : 'held';
}

/** Cost limits are in steps of 1 000 nano-dollars. */
function ledgerLimits({ tokens, cost }: Limits): { maxTokens?: number; maxCostUsd?: number } {
  return {
    ...(tokens !== undefined && { maxTokens: tokens }),
    ...(cost !== undefined && { maxCostUsd: cost / 1e6 }),
  };
}

function referenceNode(parent: ReferenceNode | undefined, { tokens, cost }: Limits): ReferenceNode {
  return {
    parent,
    tokenLimit: tokens ?? Number.POSITIVE_INFINITY,
    costLimit: cost === undefined ? Number.POSITIVE_INFINITY : cost * 1_000,
    tokens: 0,
    cost: 0,
    kept: { tokens: 0, cost: 0 },
    closed: false,
  };
}

function isClosed(node: ReferenceNode | undefined): boolean {
  return node !== undefined && (node.closed || isClosed(node.parent));
}

test('grants, waits, refuses and books as the reference does, whatever happens in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(limits, fc.array(step, { maxLength: 120, size: 'max' }), async (root, steps) => {
      const world = new World(root);
      for (const action of steps) {
        world.run(action);
        await flush();
        world.check();
      }
      for (let held = world.held(); held.length > 0; held = world.held()) {
        world.settle(held[0], { input: 1, output: 1, beyond: false });
        await flush();
        world.check();
      }
      expect(world.calls.filter(({ reference }) => reference.fate === 'waiting')).toEqual([]);
      for (const { real } of world.nodes) {
        expect(['tokens', 'cost'].map((name) => real.budget(name as 'tokens' | 'cost').reserved)).toEqual([0, 0]);
      }
    }),
    { numRuns: 300 },
  );
}, 60_000);
