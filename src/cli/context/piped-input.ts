import { fstatSync } from 'node:fs';
import type { FileCopy } from '../../context/copies.ts';
import { RlmError } from '../../errors.ts';
import type { Store } from '../../store/index.ts';
import { spoolInput } from './spooled-input.ts';

/** The name of standard input where files have names. */
export const STDIN_NAME = 'standard input';

/**
 * Milliseconds without a byte after which the user learns that the command waits for input: a pipe from a quick program
 * has begun by then.
 */
const NOTICE_MS = 2_000;
/**
 * Seconds without a byte after which input that no argument asked for ends the command: programs that start others
 * often leave them a pipe which they never close.
 */
export const STDIN_TIMEOUT_SECONDS = 30;

/** Whether something is piped or redirected in: a file, a pipe, or the socket that Node's `spawn` gives. */
export function isPiped({ fd }: Pick<InputStream, 'fd'>): boolean {
  try {
    const facts = fstatSync(fd);
    return facts.isFIFO() || facts.isFile() || facts.isSocket();
  } catch {
    return false; // Standard input is closed.
  }
}

/** Standard input, as far as it matters here. */
export type InputStream = NodeJS.ReadableStream & { readonly fd: number; readonly isTTY?: boolean };

export interface PatientRead {
  readonly stdin: InputStream;
  /** The user named standard input: it is waited for as long as it takes, unless `stdinTimeout` says otherwise. */
  readonly asked: boolean;
  readonly options: { readonly stdinTimeout?: number };
  readonly note: (line: string) => void;
  readonly store?: Store;
  readonly signal?: AbortSignal;
}

/**
 * Standard input in a file.
 *
 * @throws RlmError `invalid-option` when nothing comes for too long
 */
export async function readPatiently(read: PatientRead): Promise<FileCopy> {
  const { stdin, asked, options, note, store, signal } = read;
  const seconds = options.stdinTimeout ?? (asked ? undefined : STDIN_TIMEOUT_SECONDS);
  if (stdin.isTTY) note('Reading standard input; Ctrl-D ends it.');
  const silence = new AbortController();
  const notice = setTimeout(() => note(waiting(asked, seconds)), stdin.isTTY ? 2 ** 31 - 1 : NOTICE_MS);
  const limit = seconds === undefined ? undefined : setTimeout(() => silence.abort(), seconds * 1_000);
  const begun = (): void => {
    clearTimeout(notice);
    clearTimeout(limit);
  };
  stdin.once('readable', begun);
  try {
    const either = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
    return await spoolInput(stdin, store, either);
  } catch (error) {
    if (silence.signal.aborted) throw nothingCame(seconds ?? 0);
    throw error;
  } finally {
    stdin.off('readable', begun);
    begun();
  }
}

const REMEDY = '--no-stdin or < /dev/null leaves it unread';

function waiting(asked: boolean, seconds: number | undefined): string {
  const until = seconds === undefined ? '' : `, for at most ${seconds} s without a byte`;
  return `Waiting for standard input${until}${asked ? '' : `; ${REMEDY}`}.`;
}

function nothingCame(seconds: number): RlmError {
  return new RlmError({
    code: 'invalid-option',
    message: `Nothing came on standard input for ${seconds} s, and it is still open. ${REMEDY}; --stdin-timeout waits longer.`,
    userAction: true,
  });
}
