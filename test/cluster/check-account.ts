import assert from 'node:assert/strict';
import type { MockCall } from '../mock-provider/index.ts';
import { CALLS } from './rounds-script.ts';
import type { Ended } from './stage.ts';

/** Prompts are estimated: at most this times their tokens. */
const ESTIMATE_ERROR = 4 / 3;

interface Tokens {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/**
 * Compares the account of a run that was disturbed with the one of an undisturbed run, and with the provider's own: apart from
 * possibly billed calls they are equal.
 */
export function checkAccount(
  { outcome, answer: given, usage, attempts = [], failed }: Ended,
  { answer, seen }: { readonly answer: string; readonly seen: readonly MockCall[] },
): void {
  assert.equal(outcome, 'converged', JSON.stringify(failed));
  assert.equal(given, answer);
  const { calls = 0, possiblyBilled = 0 } = usage ?? {};
  assert.equal(attempts.length, calls, 'the journal has every call of the ledger');
  const unsure = attempts.filter((attempt) => attempt.possiblyBilled).map((attempt) => attempt.usage);
  assert.equal(unsure.length, possiblyBilled);
  // A reply that was cut behind a cell that had begun is made from its beginning: it is not asked for again.
  const byKey = Map.groupBy(attempts, ({ key }) => key);
  const cut = [...byKey.values()].filter((all) => all.every((attempt) => attempt.possiblyBilled)).length;
  assert.equal(calls - possiblyBilled + cut, CALLS, 'each call is paid once');

  const billed = seen.filter((call) => call.outcome !== 'fault').map((call) => call.usage);
  const settled = attempts.filter((attempt) => !attempt.possiblyBilled).map((attempt) => attempt.usage);
  const rest = without(billed, settled);
  assert.deepEqual(rest.missing, [], 'the ledger has calls that the provider has not');
  assert.ok(rest.left.length <= unsure.length, `only the provider has ${rest.left.length} of ${unsure.length} calls`);
  const output = sum(rest.left, 'outputTokens');
  assert.ok(output <= sum(unsure, 'outputTokens'), `only the provider has ${output} output tokens`);
  const input = [sum(rest.left, 'inputTokens'), sum(unsure, 'inputTokens')] as const;
  assert.ok(
    input[0] <= input[1] * ESTIMATE_ERROR,
    `${input[0]} input tokens at the provider, estimated as ${input[1]}`,
  );
}

function sum(all: readonly Tokens[], of: keyof Tokens): number {
  return all.reduce((total, tokens) => total + tokens[of], 0);
}

/** Takes each of `taken` out of `all` once. */
function without(
  all: readonly Tokens[],
  taken: readonly Tokens[],
): { readonly left: readonly Tokens[]; readonly missing: readonly string[] } {
  const left = [...all];
  const missing: string[] = [];
  for (const { inputTokens, outputTokens } of taken) {
    const at = left.findIndex((each) => each.inputTokens === inputTokens && each.outputTokens === outputTokens);
    if (at < 0) missing.push(`${inputTokens} in, ${outputTokens} out`);
    else left.splice(at, 1);
  }
  return { left, missing };
}
