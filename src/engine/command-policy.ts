/** A command that model-written text asks for, before it runs. */
export interface CheckedCommand {
  readonly kind: 'python' | 'bash';
  readonly source: string;
}

/** The decision of a policy. `message` is for the model: what was refused, and what is allowed. */
export type PolicyDecision =
  | { readonly decision: 'allow'; readonly logged?: { readonly rule: string; readonly message: string } }
  | { readonly decision: 'refuse' | 'ask'; readonly rule: string; readonly message: string };

/** A refusal, as the caller gets it. */
export interface PolicyRefusal extends CheckedCommand {
  readonly runId: string;
  /** Handle of the command, e.g. `t3.0`. */
  readonly id: string;
  readonly rule: string;
  readonly message: string;
}

/** Checks commands before they run. `fathom-rlm/policy` makes one from rules; any object with these functions is one. */
export interface CommandPolicy {
  readonly check: (command: CheckedCommand) => PolicyDecision | Promise<PolicyDecision>;
  /** Decides where `check` says `ask`. Without it such a command is refused. */
  readonly ask?: (question: PolicyRefusal) => Promise<boolean>;
  /** Refusals in a row after which `onRefusals` decides. Default 3. */
  readonly maxRefusals?: number;
  /** `stop` asks the model for its best answer. Default: `stop`. */
  readonly onRefusals?: (refusals: readonly PolicyRefusal[]) => 'continue' | 'stop' | Promise<'continue' | 'stop'>;
}
