import type { Clock } from '../clock.ts';
import { extended, type SessionConfig } from './session-config.ts';

export interface LifetimeOptions {
  readonly id: string;
  readonly clock: Clock;
  readonly config: SessionConfig;
  /** Called when the time is over, also after it was extended: look at {@link Lifetime.over}. */
  readonly onOver: () => void;
}

/** The time of a session: when it is over, and how often it was extended. */
export class Lifetime {
  readonly #options: LifetimeOptions;
  #expiresAt: number;
  #extensions: number;
  #stop: () => void = () => undefined;

  constructor(options: LifetimeOptions) {
    this.#options = options;
    this.#expiresAt = options.config.expiresAt;
    this.#extensions = options.config.extensions;
  }

  /** ISO 8601, UTC. */
  get expiresAt(): string {
    return new Date(this.#expiresAt).toISOString();
  }

  get extensions(): number {
    return this.#extensions;
  }

  get over(): boolean {
    return this.#options.clock.now() >= this.#expiresAt;
  }

  /** Lets the time run. */
  start(): void {
    this.stop();
    const { clock, onOver } = this.#options;
    this.#stop = clock.schedule(Math.max(0, this.#expiresAt - clock.now()), () => {
      // A clock may wake early: its longest wait is shorter than a session may live.
      if (this.over) onOver();
      else this.start();
    });
  }

  stop(): void {
    this.#stop();
  }

  /** @throws RlmError `extension-limit` */
  extend(): void {
    const { id, config } = this.#options;
    const longer = extended(id, { expiresAt: this.#expiresAt, extensions: this.#extensions }, config);
    this.#extensions = longer.extensions;
    this.#expiresAt = longer.expiresAt;
    this.start();
  }
}
