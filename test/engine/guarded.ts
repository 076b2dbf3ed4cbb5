import { memoryParts, type PartStore } from '../../src/compact/index.ts';
import { type GuardOptions, type SummaryRecord, type ToolOutputGuard, toolOutputGuard } from '../../src/guard/index.ts';
import { type ScriptedModel, scriptedModel } from '../../src/test.ts';
import { rlmOf } from './harness.ts';

export const WINDOW = 32_000;
export const SIZES: { readonly window: number; readonly used: number } = { window: WINDOW, used: 1_000 };

/** An output of about 10 000 tokens with a first and a last line of its own. */
export const outputOf = (name: string): string =>
  `first line of ${name}\n${`row of ${name}; `.repeat(3_000)}\nlast line of ${name}`;

/** A model whose window is in the price table: its summaries are direct calls, which quote the first line. */
export function summariser(): ScriptedModel {
  const model = scriptedModel(
    ({ messages }) => {
      const all = messages.map(({ content }) => content).join('\n');
      const quoted = /first line of [\w-]+/.exec(all)?.[0] ?? '';
      return JSON.stringify({ answer: `It begins with: ${quoted}`, citations: [{ quote: quoted }] });
    },
    { modelId: 'gpt-5' },
  );
  return { ...model, provider: 'openai' };
}

/** A guard with what its test looks at. */
export interface GuardUnderTest {
  readonly guard: ToolOutputGuard;
  readonly parts: PartStore;
  readonly ended: readonly SummaryRecord[];
  readonly model: ScriptedModel;
}

export function guardOf(model: ScriptedModel, more: Partial<GuardOptions> = {}): GuardUnderTest {
  const ended: SummaryRecord[] = [];
  const parts = memoryParts();
  const rlm = rlmOf({ model, prices: { 'openai/gpt-5': { input: 1, output: 1 } } });
  const guard = toolOutputGuard({ rlm, model: 'gpt-5', parts, onSummary: (record) => ended.push(record), ...more });
  return { guard, parts, ended, model };
}
