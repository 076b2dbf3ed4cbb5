import { RlmError } from '../../errors.ts';
import type { CapturedText, RestartInfo } from '../port.ts';
import type { PartReader } from './parts.ts';
import type { Fields } from './shape.ts';

/** A command for the guest. */
export interface GuestCommand {
  readonly op: string;
  /** Further header fields; `parts` is added here. */
  readonly header?: Readonly<Record<string, unknown>>;
  readonly parts?: readonly Buffer[];
  /** Milliseconds of guest time. Default: `cellTimeoutMs`. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onOutput?: (stream: 'stdout' | 'stderr', text: string) => void;
}

/** Why a command was stopped from outside. */
export type Stopped = 'deadline' | 'cancelled' | undefined;

/** The facts about every command, also one whose guest was lost. */
export interface CommandRecord {
  readonly stdout: CapturedText;
  readonly stderr: CapturedText;
  readonly durationMs: number;
  readonly stopped: Stopped;
}

/** The result of a command: its header and parts, not yet read. */
export interface GuestResult extends CommandRecord {
  readonly fields: Fields;
  readonly parts: PartReader;
}

/** The guest was lost while a command ran, or before it. */
export class GuestLost extends RlmError {
  readonly record: CommandRecord;

  /** @param restarted how the REPL came back, once it has */
  constructor(cause: RlmError, record: CommandRecord, restarted?: RestartInfo) {
    const message =
      restarted === undefined ? cause.message : `${cause.message.replace(/\.$/, '')}; now ${restarted.lost}.`;
    super({ code: cause.code, message, cause, data: { ...cause.data, ...(restarted && { restarted }) } });
    this.record = record;
  }
}

/** Options of {@link guestEnded}. */
export interface GuestEnd {
  /** Says what happened to it, as a phrase. */
  readonly reason: string;
  /** Killed, or vanished, and not because of a limit: see `RestartInfo.killed`. */
  readonly killed: boolean;
}

/** The failure of a link whose guest has ended. */
export function guestEnded({ reason, killed }: GuestEnd): RlmError {
  return new RlmError({
    code: 'repl-failure',
    message: `The REPL's process ended: ${reason}.`,
    data: { reason, ...(killed && { killed }) },
  });
}
