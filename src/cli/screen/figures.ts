/**
 * Figures as people read them.
 *
 * @module
 */

/** `842`, `12.3k`, `4.03M`. */
export function compact(count: number): string {
  if (count < 1_000) return String(count);
  if (count < 999_500) return `${round(count / 1_000)}k`;
  return `${round(count / 1_000_000)}M`;
}

/** `$0.0042`, `$1.37`; `cost unknown` when a price is unknown. */
export function money(usd: number | null): string {
  if (usd === null) return 'cost unknown';
  if (usd === 0) return '$0';
  if (usd < 0.0001) return 'under $0.0001';
  return `$${usd < 0.1 ? usd.toPrecision(2) : usd.toFixed(2)}`;
}

/** `350 ms`, `4.2 s`, `3 min 05 s`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** A running time: `0:04`, `12:31`. */
export function stopwatch(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** `1 turn`, `3 turns`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function round(value: number): string {
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : String(Math.round(value));
}

/** Why a command of a reply was not run. The code `refused` says no more than the word does. */
export function refusalWords({ code, message }: { readonly code: string; readonly message: string }): string {
  return code === 'refused' ? `refused: ${message}` : `refused (${code}): ${message}`;
}
