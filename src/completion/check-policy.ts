import type { CheckedCommand, CommandPolicy, PolicyRefusal } from '../engine/command-policy.ts';
import type { ActiveCommand, CommandResult } from './executed-command.ts';
import { decide } from './policy-decision.ts';
import type { TurnContext } from './turn-context.ts';

/** Refusals in a row after which the caller decides. */
const MOST_REFUSALS = 3;

/** The result of a command that the policy refuses; undefined where the command may run. */
export async function refusedByPolicy(
  policy: CommandPolicy,
  command: ActiveCommand,
  { id, turn }: { readonly id: string; readonly turn: TurnContext },
): Promise<CommandResult | undefined> {
  const checked = checkedCommand(command);
  if (checked === undefined) return undefined;
  const { run, answers } = turn;
  const decision = await decide(policy, checked);
  const event = { type: 'policy.decided', turn: turn.number, id } as const;
  if (decision.decision === 'allow') {
    if (decision.logged !== undefined) run.emit({ ...event, decision: 'logged', ...decision.logged });
    answers.refusedCommands = [];
    return undefined;
  }
  const { rule, message } = decision;
  const refusal: PolicyRefusal = { ...checked, runId: run.id, id, rule, message };
  if (decision.decision === 'ask' && (await allowed(policy, refusal, turn))) {
    run.emit({ ...event, decision: 'allowed', rule, message });
    answers.refusedCommands = [];
    return undefined;
  }
  run.emit({ ...event, decision: 'refused', rule, message });
  await count(policy, refusal, turn);
  const shown = `Not run: the policy refused it. ${capital(message)}.`;
  return { ok: false, failed: true, label: `${command.type} (refused)`, shown, output: shown, timedOut: false };
}

function checkedCommand(command: ActiveCommand): CheckedCommand | undefined {
  if (command.type === 'cell') return { kind: 'python', source: command.code };
  return command.type === 'bash' ? { kind: 'bash', source: command.command } : undefined;
}

/** The caller's answer is recorded: a resumed run does not ask again. */
async function allowed({ ask }: CommandPolicy, refusal: PolicyRefusal, { run, number }: TurnContext): Promise<boolean> {
  if (ask === undefined) return false;
  const call = { kind: 'tool', turn: number, command: refusal.id, request: { policy: refusal.rule } } as const;
  return await run.journal.step(call, async () => {
    const answer = await ask(refusal);
    // A run that was stopped meanwhile takes no answer.
    run.stop.throwIfStopped();
    return answer === true;
  });
}

async function count(
  policy: CommandPolicy,
  refusal: PolicyRefusal,
  { run, answers, number }: TurnContext,
): Promise<void> {
  const refusals = [...(answers.refusedCommands ?? []), refusal];
  answers.refusedCommands = refusals;
  if (refusals.length < (policy.maxRefusals ?? MOST_REFUSALS)) return;
  answers.refusedCommands = [];
  const call = { kind: 'tool', turn: number, command: refusal.id, request: { policy: 'refusals' } } as const;
  const taken = await run.journal.step(call, async () => (await policy.onRefusals?.(refusals)) ?? 'stop');
  run.emit({ type: 'policy.refusals', turn: number, count: refusals.length, taken });
  if (taken === 'stop') run.stop.finish(`the policy refused ${refusals.length} commands in a row`);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
