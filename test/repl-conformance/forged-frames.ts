import { describe, expect, test } from 'vitest';
import type { Bench } from './bench.ts';

/** Python that finds the channel's descriptor as an attacker would. */
const FIND = 'channel = history._channel\n';

/** Cells that write to the channel themselves: hostile cells 13 to 15. */
export function describeForgedFrames(bench: () => Bench): void {
  async function usable(): Promise<void> {
    expect(await bench().value('llm_query("still")')).toBe("'echo: still'");
  }

  describe('forged frames', () => {
    test.each([
      ['garbage', 'os.write(fd, b"garbage that is not a frame at all")'],
      ['a frame that is too long', 'os.write(fd, struct.pack("<I", 2**31) + b"x" * 100)'],
      ['an unknown type', 'os.write(fd, struct.pack("<IBII", 11, 99, 1, 2) + b"{}")'],
      ['a header that is not JSON', 'os.write(fd, struct.pack("<IBII", 12, 3, 10**6, 3) + b"{]}")'],
      ['a result for another command', 'channel.send(2, 4000000, {"ok": True, "variables": []})'],
      ['a replayed id', 'llm_query("a"); llm_query("b"); channel.send(3, 1, {"op": "history", "read": "length"})'],
      ['an unknown operation', 'channel.send(3, 10**6, {"op": "shutdown"})'],
      ['a negative length', 'channel.send(3, 10**6, {"op": "calls", "calls": [{"kind": "llm"}], "parts": [-5]})'],
      ['a list for an object', 'channel.send(3, 10**6, {"op": "calls", "calls": [[1]], "parts": []})'],
      [
        'a missing blob',
        'channel.send(3, 10**6, {"op": "calls", "calls": [{"kind": "llm"}], "parts": [{"blob": 77}]})',
      ],
      ['a made-up answer', 'channel.send(2, channel.command_id, {"ok": True, "variables": {"length": 3}})'],
    ])('13, 14, 15 forged frames end the guest, not the host: %s', async (_name, attack) => {
      const outcome = await bench().run(
        `${FIND}import os, struct\nfd = channel.transport._fd\n${attack}\nwhile True: n = 1`,
      );
      expect(outcome.ok).toBe(false);
      expect(outcome.error?.type).toMatch(/ChannelViolation|ReplCrashed/);
      await usable();
    });

    test('15 a closed channel fails the cell at once', async () => {
      const started = performance.now();
      const outcome = await bench().run(`${FIND}import os\nos.close(channel.transport._fd)\nllm_query("x")`);
      expect(outcome.ok).toBe(false);
      expect(performance.now() - started).toBeLessThan(10_000);
      await usable();
    });
  });
}
