/** Milliseconds between two looks whether a process still announces itself. */
const LOOK_MS = 1_000;
/** Looks in a row without a sign of it, after which it is gone: it may be late after a restart of Redis. */
const LOOKS = 3;

/** Whether the process of a mailbox announces itself. */
export type IsPresent = (mailbox: string) => Promise<boolean>;

/** Calls `onGone` once when a process does not announce itself any more. The returned function ends the watch. */
export function watchPresence(mailbox: string, isPresent: IsPresent, onGone: () => void): () => void {
  let missing = 0;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const later = (): void => {
    if (!ended) timer = setTimeout(again, LOOK_MS).unref();
  };
  const look = async (): Promise<void> => {
    missing = (await isPresent(mailbox)) ? 0 : missing + 1;
    if (missing < LOOKS) later();
    else if (!ended) onGone();
  };
  // Without Redis there is nothing to look at: everything waits for it as well.
  const again = (): void => void look().catch(later);
  later();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
