import { type Waiting, WaitPoint } from './wait-point.ts';

/**
 * Lets waiting calls leave when their signal fires. One listener per signal, because thousands of sub-calls share one
 * and an `EventTarget` looks through all its listeners for each that is added or removed.
 */
export class AbortWatch<W extends Waiting<W>> {
  readonly #watched = new Map<AbortSignal, { readonly calls: Set<W>; readonly listener: () => void }>();

  watch(signal: AbortSignal, call: W): void {
    let watched = this.#watched.get(signal);
    if (watched === undefined) {
      watched = { calls: new Set(), listener: () => this.#abort(signal) };
      this.#watched.set(signal, watched);
      signal.addEventListener('abort', watched.listener, { once: true });
    }
    watched.calls.add(call);
  }

  unwatch(signal: AbortSignal, call: W): void {
    const watched = this.#watched.get(signal);
    if (watched === undefined) return;
    watched.calls.delete(call);
    if (watched.calls.size > 0) return;
    this.#watched.delete(signal);
    signal.removeEventListener('abort', watched.listener);
  }

  /** All leave before anybody else is served: none of them may be granted room on the way. */
  #abort(signal: AbortSignal): void {
    const calls = [...(this.#watched.get(signal)?.calls ?? [])];
    for (const call of calls) call.giveUp(signal.reason);
    WaitPoint.serveAll(new Set(calls.map(({ point }) => point)));
  }
}
