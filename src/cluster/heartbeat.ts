import { RlmError } from '../errors.ts';

/** Milliseconds between two beats. */
export const BEAT_MS = 1_000;
/** Milliseconds of silence that are reported. */
const REPORT_MS = 3_000;
/** Milliseconds between two reports. */
const REPORT_AGAIN_MS = 15_000;

export interface HeartbeatOptions {
  /** Asks Redis for an answer. */
  readonly beat: () => Promise<unknown>;
  /** Where it is, without a password. */
  readonly location: string;
  /** Milliseconds of silence after which it is lost. */
  readonly retryMs: number;
  /** Called with a sentence when it is silent, now and then while it stays so, and when it is back. */
  readonly onReport: (line: string) => void;
  /** Called with each beat: how long it has been silent. Milliseconds. */
  readonly onSilence?: (silentMs: number) => void;
  /** Called once for each loss. */
  readonly onLost: (error: RlmError) => void;
}

/**
 * Watches whether Redis answers. A connection is not enough: a server that is stopped or cut off keeps it open. Silence is counted in
 * beats of this process, so that a process that was stopped itself does not take its own sleep for silence.
 */
export function watchRedis({ beat, location, retryMs, onReport, onSilence, onLost }: HeartbeatOptions): () => void {
  let silentMs = 0;
  let reportAt = REPORT_MS;
  let last = performance.now();
  let isLost = false;
  const answered = (): void => {
    if (reportAt > REPORT_MS) onReport(`Redis at ${location} answers again.`);
    silentMs = 0;
    reportAt = REPORT_MS;
    isLost = false;
  };
  const tick = (): void => {
    const now = performance.now();
    silentMs += Math.min(now - last, 2 * BEAT_MS);
    last = now;
    onSilence?.(silentMs);
    beat().then(answered, () => undefined); // Silence is counted.
    if (silentMs >= reportAt) {
      reportAt = silentMs + REPORT_AGAIN_MS;
      const seconds = Math.round(silentMs / 1_000);
      const patience = Math.max(0, Math.round((retryMs - silentMs) / 1_000));
      onReport(`Redis at ${location} has not answered for ${seconds} s: children on workers fail in ${patience} s.`);
    }
    if (silentMs < retryMs || isLost) return;
    isLost = true;
    onLost(redisLost(location, retryMs));
  };
  const timer = setInterval(tick, BEAT_MS).unref();
  return () => clearInterval(timer);
}

/** The error of what waited for Redis too long. A run that ends with it is paused. */
function redisLost(location: string, retryMs: number): RlmError {
  return new RlmError({
    code: 'store-failure',
    message: `Redis at ${location} did not answer for ${Math.round(retryMs / 1_000)} s (retryMs): see that it runs and can be reached, then resume the run.`,
    userAction: true,
    data: { redis: location },
  });
}

/** The error of a server that was never reached. */
export function redisUnreachable(location: string, cause: unknown): RlmError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new RlmError({
    code: 'store-failure',
    message: `Redis at ${location} cannot be reached${why}. See that it runs, and that the URL has its name, port and password.`,
    cause,
    userAction: true,
    data: { redis: location },
  });
}

/** Where a server is, without its password. */
export function redisLocation(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? 'an unknown address' : `${parsed.protocol}//${parsed.host}`;
}
