import { describe, expect, it } from 'vitest';
import { logSize, resume } from '../../bench/journal.bench.ts';

describe('the journal', () => {
  it('brings a run with 10 000 recorded calls to its first new call within a second, repeating none', async () => {
    const { cpuMs, repeated } = await resume(10_000);
    expect(repeated).toBe(0);
    // CPU time: tests run beside others, and waiting for a core says nothing of the journal.
    expect(cpuMs).toBeLessThan(1000);
  });

  it('takes at most 2 MB for 50 turns over a context of 1 MB, each showing as much as it may', async () => {
    const size = { contextChars: 1_000_000, turns: 50, replyChars: 1500 };
    expect(await logSize({ ...size, shownChars: 20_000 })).toBeLessThan(2_000_000);
    expect(await logSize({ ...size, shownChars: 2000 })).toBeLessThan(1_100_000);
  });
});
