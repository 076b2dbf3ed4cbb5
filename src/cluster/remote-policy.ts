import type { CheckedCommand, CommandPolicy, PolicyDecision, PolicyRefusal } from '../engine/command-policy.ts';
import { RlmError } from '../errors.ts';
import type { JsonValue } from '../repl/port.ts';
import type { PolicyFacts } from './child-job.ts';
import type { RemoteParent } from './remote-parent.ts';

/** A question of a worker about a command of its child. */
export type PolicyQuestion =
  | { readonly of: 'check'; readonly command: CheckedCommand }
  | { readonly of: 'ask'; readonly refusal: PolicyRefusal }
  | { readonly of: 'refusals'; readonly refusals: readonly PolicyRefusal[] };

/** Most milliseconds for which a person is waited for. */
const MOST_WAIT_MS = 3_600_000;

/** The policy of the process that asked, on a worker. Where that cannot be reached, nothing is allowed. */
export function relayedPolicy({ asks, maxRefusals }: PolicyFacts, parent: RemoteParent): CommandPolicy {
  const ask = async (question: PolicyQuestion, waitMs?: number): Promise<JsonValue> =>
    await parent.ask('policy', { ...question }, waitMs);
  return {
    check: async (command) => (await ask({ of: 'check', command })) as unknown as PolicyDecision,
    ...(asks && { ask: async (refusal) => (await ask({ of: 'ask', refusal }, MOST_WAIT_MS)) === true }),
    ...(maxRefusals !== undefined && { maxRefusals }),
    onRefusals: async (refusals) =>
      (await ask({ of: 'refusals', refusals }, MOST_WAIT_MS)) === 'continue' ? 'continue' : 'stop',
  };
}

/** Answers a worker. @throws RlmError, and what the policy throws: the worker then refuses the command */
export async function answerPolicy(policy: CommandPolicy | undefined, question: PolicyQuestion): Promise<JsonValue> {
  if (policy === undefined)
    throw new RlmError({ code: 'invalid-option', message: 'A worker asks for a policy that this run does not have.' });
  if (question.of === 'check') return (await policy.check(question.command)) as unknown as JsonValue;
  if (question.of === 'ask') return (await policy.ask?.(question.refusal)) === true;
  return (await policy.onRefusals?.(question.refusals)) ?? 'stop';
}
