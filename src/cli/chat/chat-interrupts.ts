import { EXIT } from '../exit-codes.ts';
import type { Interruptible, Interrupts, SignalSource } from '../watch/interrupts.ts';
import type { WatchInterrupts } from '../watch/show-run.ts';

export interface ChatInterruptsOptions {
  readonly signals: SignalSource;
  /** A person is at a terminal: elsewhere the first signal leaves. */
  readonly interactive: boolean;
  /** Drops the line that is being edited, if there is one. Returns whether there was. */
  readonly dropLine: () => boolean;
  /** Says how to leave. */
  readonly hint: () => void;
  /** The chat ends as soon as what runs has. */
  readonly onLeave: () => void;
  /** Ends the process at once. */
  readonly exit: () => void;
}

/**
 * Ctrl-C in a chat ends the question or cell that runs, or drops the line that is edited; pressed again, it leaves; a third time
 * it leaves without tidying up. SIGTERM leaves.
 */
export class ChatInterrupts implements Disposable {
  readonly #options: ChatInterruptsOptions;
  #stopRunning: ((reason: string, terminated: boolean) => void) | undefined;
  #note: (line: string) => void = () => undefined;
  #presses = 0;
  #leaving: number | undefined;

  constructor(options: ChatInterruptsOptions) {
    this.#options = options;
    options.signals.on('SIGINT', this.press);
    options.signals.on('SIGTERM', this.#terminate);
  }

  /** The exit code of a chat that is being left by a signal. */
  get leaving(): number | undefined {
    return this.#leaving;
  }

  /** Ctrl-C, as a signal or as a key. */
  readonly press = (): void => {
    const { interactive, dropLine, hint, exit } = this.#options;
    const stop = this.#stopRunning;
    if (this.#leaving !== undefined) exit();
    else if (interactive && stop === undefined && dropLine()) this.#presses = 0;
    else if (!interactive || this.#presses > 0) this.#leave(EXIT.interrupted);
    else {
      this.#presses++;
      if (stop === undefined) hint();
      else {
        this.#note('Stopping. Ctrl-C again leaves.');
        stop('you pressed Ctrl-C', false);
      }
    }
  };

  /** A line was entered: the next Ctrl-C is a first one again. */
  settled(): void {
    this.#presses = 0;
  }

  /** For one question or cell: what is attached is cancelled by the first Ctrl-C. */
  readonly watch: WatchInterrupts = (note) => {
    const controller = new AbortController();
    const attached: Interruptible[] = [];
    let terminated = false;
    this.#note = note;
    this.#stopRunning = (reason, byTerm) => {
      terminated ||= byTerm;
      controller.abort();
      for (const run of attached) run.cancel(reason);
    };
    const interrupts: Interrupts = {
      signal: controller.signal,
      get terminated() {
        return terminated;
      },
      attach: (run) => void attached.push(run),
      dispose: () => {
        this.#stopRunning = undefined;
      },
    };
    return interrupts;
  };

  [Symbol.dispose](): void {
    this.#options.signals.off('SIGINT', this.press);
    this.#options.signals.off('SIGTERM', this.#terminate);
  }

  readonly #terminate = (): void => {
    if (this.#leaving === EXIT.terminated) this.#options.exit();
    else this.#leave(EXIT.terminated);
  };

  #leave(code: number): void {
    this.#leaving = code;
    this.#stopRunning?.('the chat is being left', code === EXIT.terminated);
    this.#options.onLeave();
  }
}
