import { describe, expect, it } from 'vitest';
import { sinceTime } from './commands.ts';

const NOW = Date.parse('2026-03-10T12:00:00Z');

describe('a time since', () => {
  it.each([
    ['90m', '2026-03-10T10:30:00.000Z'],
    ['12h', '2026-03-10T00:00:00.000Z'],
    ['7d', '2026-03-03T12:00:00.000Z'],
    ['2w', '2026-02-24T12:00:00.000Z'],
    ['2026-01-31T09:00Z', '2026-01-31T09:00:00.000Z'],
  ])('%s', (text, time) => {
    expect(sinceTime(text, NOW)).toBe(time);
  });

  it('is midnight here for a date alone', () => {
    expect(sinceTime('2026-01-31')).toBe(new Date(2026, 0, 31).toISOString());
  });

  it.each(['', 'soon', '3', '3y', '2026-13-45'])('is not %j', (text) => {
    expect(() => sinceTime(text)).toThrow('90m, 12h, 7d, 2w');
  });
});
