/** A run that Ctrl-C and SIGTERM can end. */
export interface Interruptible {
  /** Best answer now. */
  finish(reason: string): void;
  /** Stop now. */
  cancel(reason: string): void;
}

/** Where signals come from: the part of `process` that is used. */
export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

export interface InterruptOptions {
  readonly signals: SignalSource;
  /** Says what the first Ctrl-C does. */
  readonly note: (line: string) => void;
  /** Ends the process at once, for a third Ctrl-C. */
  readonly exit: () => void;
}

/** The way a command can be stopped. */
export interface Interrupts {
  /** Aborts while nothing is attached and at the second signal. */
  readonly signal: AbortSignal;
  /** SIGTERM was received. */
  readonly terminated: boolean;
  /** From now on the first Ctrl-C asks this run for its best answer. */
  attach(run: Interruptible): void;
  /** Gives the signals back. */
  dispose(): void;
}

/**
 * Ctrl-C once: finish with the best answer; twice: stop; a third time: leave without tidying up. SIGTERM: stop.
 * Before a run is attached, the first Ctrl-C stops.
 */
export function watchInterrupts({ signals, note, exit }: InterruptOptions): Interrupts {
  const controller = new AbortController();
  let run: Interruptible | undefined;
  let presses = 0;
  let terminated = false;

  const stop = (reason: string): void => {
    controller.abort();
    run?.cancel(reason);
  };
  const onInterrupt = (): void => {
    presses += run === undefined ? 2 : 1;
    if (presses === 1) {
      note('Asking for the best answer so far. Ctrl-C again stops at once.');
      run?.finish('you pressed Ctrl-C');
    } else if (presses === 2) stop('you pressed Ctrl-C twice');
    else exit();
  };
  const onTerminate = (): void => {
    if (terminated) exit();
    terminated = true;
    stop('the process was asked to end (SIGTERM)');
  };
  signals.on('SIGINT', onInterrupt);
  signals.on('SIGTERM', onTerminate);

  return {
    signal: controller.signal,
    get terminated() {
      return terminated;
    },
    attach(attached) {
      run = attached;
    },
    dispose() {
      signals.off('SIGINT', onInterrupt);
      signals.off('SIGTERM', onTerminate);
    },
  };
}

/** Resolves with the first SIGINT or SIGTERM; a second one ends the process as usual. */
export function untilSignal(signals: SignalSource): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      for (const name of ['SIGINT', 'SIGTERM'] as const) signals.off(name, stop);
      resolve();
    };
    for (const name of ['SIGINT', 'SIGTERM'] as const) signals.on(name, stop);
  });
}
