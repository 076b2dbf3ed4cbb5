/** The demo against servers as they really answer, with nothing but `-m URL#model`: the answer is the same. */
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { startDemoProvider } from '../../demo/provider.ts';
import { runDemo } from '../../demo/run.ts';
import { colorsFor } from '../../src/cli/screen/console.ts';
import { briefNarrator } from '../../src/cli/watch/narrator.ts';
import type { MockProvider } from '../mock-provider/index.ts';
import { PROFILES, type ProfileName } from '../mock-provider/profiles.ts';

const NOVELS = fileURLToPath(new URL('../../demo/novels', import.meta.url));
let provider: MockProvider | undefined;
afterEach(async () => await provider?.close());

test.each(Object.keys(PROFILES) as ProfileName[])(
  '%s',
  async (name) => {
    provider = await startDemoProvider({ profile: PROFILES[name], latencyMs: 1 });
    const printed: string[] = [];
    const out = { write: (text: string) => printed.push(text) };
    const model = `${provider.url}${PROFILES[name].basePath}#recorded`;
    const narrator = briefNarrator({ colors: colorsFor(out, {}), stream: {}, interactive: false });
    const { verified, result } = await runDemo({
      novels: NOVELS,
      repl: 'auto',
      out,
      interactive: false,
      narrator,
      model,
    });
    expect(verified, printed.join('')).toBe(true);
    expect(result.outcome).toBe('converged');
    // Refused and broken attempts of a profile cost a few attempts, and no more.
    expect(provider.calls.length - result.usage.calls).toBe(0);
    expect(result.usage.calls).toBeLessThan(result.turns + result.subCalls + 45);
  },
  120_000,
);
