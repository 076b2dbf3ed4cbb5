import type { Attempt } from './attempt.ts';
import { WaitPoint } from './wait-point.ts';

/**
 * Lets waiting attempts leave when their signal fires. One listener per signal, because thousands of sub-calls share one
 * and an `EventTarget` looks through all its listeners for each that is added or removed.
 */
export class AbortWatch {
  readonly #watched = new Map<AbortSignal, { readonly attempts: Set<Attempt>; readonly listener: () => void }>();

  watch(signal: AbortSignal, attempt: Attempt): void {
    let watched = this.#watched.get(signal);
    if (watched === undefined) {
      watched = { attempts: new Set(), listener: () => this.#abort(signal) };
      this.#watched.set(signal, watched);
      signal.addEventListener('abort', watched.listener, { once: true });
    }
    watched.attempts.add(attempt);
  }

  unwatch(signal: AbortSignal, attempt: Attempt): void {
    const watched = this.#watched.get(signal);
    if (watched === undefined) return;
    watched.attempts.delete(attempt);
    if (watched.attempts.size > 0) return;
    this.#watched.delete(signal);
    signal.removeEventListener('abort', watched.listener);
  }

  /** All leave before anybody else is served: none of them may be granted room on the way. */
  #abort(signal: AbortSignal): void {
    const attempts = [...(this.#watched.get(signal)?.attempts ?? [])];
    for (const attempt of attempts) attempt.giveUp(signal.reason);
    WaitPoint.serveAll(new Set(attempts.map(({ point }) => point)));
  }
}
