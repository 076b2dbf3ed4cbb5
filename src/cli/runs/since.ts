import { InvalidArgumentError } from 'commander';

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A time before now (`90m`, `12h`, `7d`, `2w`) or a date (`2026-01-31`, `2026-01-31T09:00`), as ISO 8601 in UTC. */
export function sinceTime(text: string, now: number = Date.now()): string {
  const ago = /^(\d{1,6})([mhdw])$/.exec(text);
  const time = ago === null ? dateOf(text) : now - Number(ago[1]) * (UNIT_MS[ago[2] ?? ''] ?? 0);
  if (Number.isNaN(time)) throw new InvalidArgumentError('It must be like 90m, 12h, 7d, 2w or 2026-01-31.');
  return new Date(time).toISOString();
}

/** A day begins at midnight here; a time without a zone is a time here. */
function dateOf(text: string): number {
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return Number.NaN;
  return Date.parse(text.length === 10 ? `${text}T00:00` : text);
}
