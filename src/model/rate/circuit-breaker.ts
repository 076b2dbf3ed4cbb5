import type { Clock } from '../../clock.ts';
import type { ModelError } from '../model-error.ts';

/** Failures in a row before a host's circuit opens. */
const OPENS_AFTER = 3;
/** After this long without any connection waiting calls are refused rather than held. */
const GIVE_UP_MS = 30_000;
const FIRST_PROBE_MS = 250;
const LAST_PROBE_MS = 5_000;

/** The decision of a host's circuit on the next call. */
export type HostVerdict =
  | { readonly kind: 'go' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'refuse'; readonly error: ModelError };

/** One circuit breaker per host: while nothing connects, one call at a time finds out whether that has changed. */
export interface HostCircuits {
  verdict(host: string | undefined): HostVerdict;
  /** A call to the host is being sent. */
  sent(host: string | undefined): void;
  /** The host could not be reached. */
  failed(host: string, error: ModelError): void;
  /** The host answered something, or the call ended otherwise. */
  answered(host: string | undefined): void;
}

interface Circuit {
  failures: number;
  readonly since: number;
  nextProbeAt: number;
  probing: boolean;
  error: ModelError;
}

const GO: HostVerdict = { kind: 'go' };

/** Starts with all circuits stopped. */
export function createHostCircuits({ clock, random }: { clock: Clock; random: () => number }): HostCircuits {
  const circuits = new Map<string, Circuit>();
  const open = (host: string | undefined): Circuit | undefined => {
    const circuit = host === undefined ? undefined : circuits.get(host);
    return circuit !== undefined && circuit.failures >= OPENS_AFTER ? circuit : undefined;
  };
  return {
    verdict(host) {
      const circuit = open(host);
      if (circuit === undefined) return GO;
      const now = clock.now();
      if (now >= circuit.nextProbeAt && !circuit.probing) return GO;
      if (now - circuit.since > GIVE_UP_MS) {
        const error = circuit.error.with({ possiblyBilled: false, retryable: false }, 'usage');
        return { kind: 'refuse', error };
      }
      return { kind: 'wait', ms: circuit.probing ? FIRST_PROBE_MS : circuit.nextProbeAt - now };
    },
    sent(host) {
      const circuit = open(host);
      if (circuit !== undefined) circuit.probing = true;
    },
    failed(host, error) {
      const now = clock.now();
      const circuit = circuits.get(host) ?? { failures: 0, since: now, nextProbeAt: now, probing: false, error };
      circuit.failures += 1;
      circuit.probing = false;
      circuit.error = error;
      const pause = Math.min(LAST_PROBE_MS, FIRST_PROBE_MS * 2 ** Math.max(0, circuit.failures - OPENS_AFTER));
      circuit.nextProbeAt = now + pause * (0.5 + random() / 2);
      circuits.set(host, circuit);
    },
    answered(host) {
      if (host !== undefined) circuits.delete(host);
    },
  };
}

/** Milliseconds a stopped model takes no call; then one call tests it. */
const STOPPED_MS = 30_000;

/**
 * The circuit breaker of one model: an error that every further call would meet (a wrong key, a spent quota, an unknown
 * model) stops its calls. It holds for the trees that were open then; a tree opened later, by a resumed run for example,
 * tries again.
 */
export interface ModelCircuit {
  readonly refusal: (treeOrder: number) => ModelError | undefined;
  /** Opens the circuit if the error is of that kind; returns the error to refuse waiting calls with. */
  consider(error: ModelError, newestTree: number): ModelError | undefined;
  reset(): void;
}

/** Starts closed: calls pass. */
export function createModelCircuit(clock: Clock): ModelCircuit {
  let stopped: { readonly error: ModelError; readonly newestTree: number; until: number } | undefined;
  return {
    refusal(treeOrder) {
      if (stopped === undefined || treeOrder > stopped.newestTree) return undefined;
      if (clock.now() < stopped.until) return stopped.error;
      stopped.until = clock.now() + STOPPED_MS;
      return undefined;
    },
    consider(error, newestTree) {
      if (!error.stopsNewCalls && error.fault !== 'model') return undefined;
      const refusal = error.with({ possiblyBilled: false }, 'usage');
      stopped = { error: refusal, newestTree, until: clock.now() + STOPPED_MS };
      return refusal;
    },
    reset() {
      stopped = undefined;
    },
  };
}
