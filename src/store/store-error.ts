import { messageOf, RlmError } from '../errors.ts';

/** The store cannot do what was asked. `data` names the place, and the holder when another process has it. */
export class StoreError extends RlmError {
  constructor(options: {
    readonly message: string;
    readonly cause?: unknown;
    readonly userAction?: boolean;
    readonly data?: Readonly<Record<string, unknown>>;
  }) {
    super({ code: 'store-failure', ...options });
  }
}

/** Creates the typed error of a failed store operation. `what` is the beginning of its message, e.g. `Writing in`. */
export function storeFailure(what: string, location: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  return new StoreError({
    message: `${what} the store at ${location} failed: ${messageOf(cause)}.`,
    cause,
    userAction: isMendable(cause),
    data: { location },
  });
}

/** A use of a store after `close()`. */
export function storeClosed(location: string): StoreError {
  return new StoreError({ message: `The store at ${location} is closed.`, data: { location } });
}

const SQLITE_FULL = 13;
const SQLITE_READONLY = 8;

/** No room, no permission, or no folder. */
function isMendable(cause: unknown): boolean {
  if (typeof cause !== 'object' || cause === null) return false;
  const { code, errcode } = cause as { code?: unknown; errcode?: unknown };
  if (typeof code === 'string' && ['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'EEXIST', 'ENOTDIR'].includes(code))
    return true;
  return errcode === SQLITE_FULL || errcode === SQLITE_READONLY;
}
