/**
 * The decision of a policy on one piece of code.
 *
 * @module
 */
import type { CheckedCommand, CommandPolicy, PolicyDecision } from '../engine/command-policy.ts';
import { messageOf } from '../errors.ts';

/** A policy that fails allows nothing. */
export async function decide(policy: CommandPolicy, command: CheckedCommand): Promise<PolicyDecision> {
  try {
    return await policy.check(command);
  } catch (error) {
    return { decision: 'refuse', rule: 'policy failed', message: `the policy itself failed: ${messageOf(error)}` };
  }
}

/** Why the policy refuses the code of an f-string; undefined where it may be evaluated. */
export async function refusedExpression(policy: CommandPolicy, source: string): Promise<string | undefined> {
  const decision = await decide(policy, { kind: 'python', source });
  return decision.decision === 'allow' ? undefined : `the policy refused it: ${decision.message}`;
}
