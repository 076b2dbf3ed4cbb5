/** One thing at a time, in the order in which it was asked for. */
export class TurnQueue {
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** A caller has the turn or waits for it. */
  get busy(): boolean {
    return this.#waiting > 0;
  }

  /** Waits for the turn; the returned function passes it on, once. A wait that is aborted takes no turn. */
  async enter(signal?: AbortSignal): Promise<() => void> {
    let pass = (): void => undefined;
    const before = this.#tail;
    const mine = new Promise<void>((resolve) => {
      pass = resolve;
    });
    this.#tail = before.then(() => mine);
    this.#waiting++;
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      this.#waiting--;
      pass();
    };
    try {
      await orAborted(before, signal);
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }

  /** Runs `work` in its turn. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const leave = await this.enter();
    try {
      return await work();
    } finally {
      leave();
    }
  }
}

async function orAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return await work;
  signal.throwIfAborted();
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
