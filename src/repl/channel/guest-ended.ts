import { RlmError } from '../../errors.ts';

/** Options of {@link guestEnded}. */
export interface GuestEnd {
  /** What happened to it, as a phrase. */
  readonly reason: string;
  /** Killed, or vanished, and by no limit of ours: see `RestartInfo.killed`. */
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

/** A REPL was lost by a kill that was none of ours: what it did can be done again elsewhere. */
export function wasKilled(error: unknown): boolean {
  return RlmError.isInstance(error) && error.code === 'repl-failure' && error.data.killed === true;
}
