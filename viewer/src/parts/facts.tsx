import type { JSX } from 'preact';
import { compact, duration } from '../../../src/cli/screen/figures.ts';
import { source } from '../app-state.ts';

/** Of a file: the run was at work when it was written. */
const AT_EXPORT = { tone: 'warn', words: 'was running' } as const;

/** How a run ended, as a class and in words. */
export function outcomeOf(status: string, outcome: string | null): { readonly tone: string; readonly words: string } {
  if (status === 'running') return source().kind === 'file' ? AT_EXPORT : { tone: 'live', words: 'running' };
  if (status === 'queued') return { tone: 'mute', words: 'queued' };
  if (status === 'interrupted' || status === 'paused') return { tone: 'warn', words: status };
  if (outcome === 'converged') return { tone: 'ok', words: 'converged' };
  if (outcome === 'exhausted') return { tone: 'warn', words: 'exhausted' };
  if (status === 'failed' || outcome === 'failed') return { tone: 'bad', words: 'failed' };
  if (status === 'aborted' || outcome === 'aborted') return { tone: 'mute', words: 'aborted' };
  return { tone: 'mute', words: outcome ?? status };
}

export function Outcome({
  status,
  outcome,
}: {
  readonly status: string;
  readonly outcome: string | null;
}): JSX.Element {
  const { tone, words } = outcomeOf(status, outcome);
  return <span class={`outcome ${tone}`}>{words}</span>;
}

/** A cost. An unknown price is not zero. */
export function Cost({ usd }: { readonly usd: number | null }): JSX.Element {
  if (usd === null) return <span class="cost unknown">cost unknown</span>;
  return <span class="cost">{dollars(usd)}</span>;
}

/** `$0`, `$0.0042`, `$1.37`. */
export function dollars(usd: number): string {
  if (usd === 0) return '$0';
  if (usd < 0.0001) return '<$0.0001';
  return `$${usd < 0.1 ? usd.toPrecision(2) : usd.toFixed(2)}`;
}

export function Took({ ms }: { readonly ms: number | null }): JSX.Element {
  return <span class="took">{ms === null ? '—' : duration(ms)}</span>;
}

export function Tokens({ count, word = 'tokens' }: { readonly count: number; readonly word?: string }): JSX.Element {
  return (
    <span class="tokens" title={`${count.toLocaleString('en')} tokens`}>
      {compact(count)} {word}
    </span>
  );
}

const DAY = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });
const YEAR = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** A moment in the user's own time. */
export function When({ time }: { readonly time: string }): JSX.Element | null {
  const date = new Date(time);
  if (Number.isNaN(date.getTime()) || date.getTime() === 0) return null;
  const isThisYear = date.getFullYear() === new Date().getFullYear();
  return (
    <time dateTime={time} title={time}>
      {(isThisYear ? DAY : YEAR).format(date)}
    </time>
  );
}
