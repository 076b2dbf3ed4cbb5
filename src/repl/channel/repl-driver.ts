import type { BashOutcome, BashRequest, ContextFile, FileValue, IsolationLevel, JsonValue } from '../port.ts';
import type { GuestLink } from './guest-link.ts';

/** A guest that came back after a loss. */
export interface RecoveredGuest {
  readonly link: GuestLink;
  /** Nothing is left of the old guest: the core says hello and binds everything again. */
  readonly fresh: boolean;
  /** It is as it was after the last command; else as before it, or earlier. */
  readonly current: boolean;
  /** For the model, e.g. `variables and files are as they were before this cell`. */
  readonly lost: string;
}

/** Says what a guest lost that was restored from the snapshot before the command that ended it. */
export const AS_BEFORE = 'variables and files are as they were before this cell';
/** The same where no cell ran: with the last cell's work, or without it. */
export const AS_AFTER_LAST = 'variables and files are as they were after the last cell';
export const AS_BEFORE_LAST = 'variables and files are as they were before the last cell';

/** The parts of a REPL that differ by backend: the guest's process, snapshots, bash, and how files reach the guest. */
export interface ReplDriver {
  readonly backend: string;
  readonly isolation: IsolationLevel;
  readonly shell: string;
  /** The guest as it was opened, ready for commands. */
  readonly link: GuestLink;
  /** How the guest's `load_file` finds a file. */
  describeFile(value: FileValue): Promise<Readonly<Record<string, JsonValue>>>;
  /**
   * Shows files to cells, read-only, below `context/` in the working directory. They are in no snapshot, and stay after a
   * rollback and after a guest has come back, unless that is `fresh`.
   *
   * @throws RlmError `context-not-found`, `context-invalid`
   */
  showFiles(files: readonly ContextFile[]): Promise<void>;
  /** Before each cell and bash command, at rest: the automatic snapshot that a kill goes back to. */
  beforeCommand?(): Promise<void>;
  /** The result of the last command was read and follows the rules: the guest's state is one to go back to. */
  understood?(): void;
  /**
   * The guest is gone or of no use: ends what is left of it and restores one, from its last snapshot or from `scratch`.
   *
   * @throws when that cannot be done
   */
  recover(reason: string, from: 'snapshot' | 'scratch'): Promise<RecoveredGuest>;
  /** Runs bash. Without it the guest has a `bash` command. */
  bash?(command: BashRequest): Promise<BashOutcome>;
  /** Takes a snapshot under an id that is new. */
  capture(id: string): Promise<{ readonly bytes: number }>;
  /** Goes back to a snapshot, also when the guest is lost. The link may be another one. */
  restore(id: string): Promise<GuestLink>;
  discard(id: string): Promise<void>;
  close(): Promise<void>;
}
