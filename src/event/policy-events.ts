/** The decision of a command policy that was not a plain permission. A refused command did not run. */
export interface PolicyDecided {
  readonly type: 'policy.decided';
  readonly turn: number;
  /** Handle of the command, e.g. `t3.0`. */
  readonly id: string;
  /** `logged`: the rule is permissive. `allowed`: the policy asked, and the command was allowed. */
  readonly decision: 'refused' | 'allowed' | 'logged';
  /** The rule, e.g. `python.calls deny os.system`. */
  readonly rule: string;
  /** The note that the model reads where the command was refused. */
  readonly message: string;
}

/** Refusals in a row reached the policy's limit, and the caller's decision, or the default, was taken. */
export interface PolicyRefusalsReached {
  readonly type: 'policy.refusals';
  readonly turn: number;
  readonly count: number;
  readonly taken: 'continue' | 'stop';
}
