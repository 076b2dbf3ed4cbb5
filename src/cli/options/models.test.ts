import { afterEach, expect, test, vi } from 'vitest';
import { costLimitFor, DEFAULT_MAX_COST_USD } from './models.ts';

afterEach(() => vi.unstubAllEnvs());

test('a given limit holds', () => {
  expect(costLimitFor(['ollama/qwen3'], 2)).toEqual({ maxCostUsd: 2 });
});

test('without one, known prices get the default', () => {
  vi.stubEnv('OPENAI_API_KEY', 'not-a-key');
  expect(costLimitFor(['openai/gpt-5-mini'], undefined)).toEqual({ maxCostUsd: DEFAULT_MAX_COST_USD });
});

test('an unknown price means no limit, and is said', () => {
  vi.stubEnv('OPENAI_COMPATIBLE_BASE_URL', 'http://127.0.0.1:9/v1');
  const { maxCostUsd, notice } = costLimitFor(['openai-compatible/qwen3'], undefined);
  expect(maxCostUsd).toBeUndefined();
  expect(notice).toContain('openai-compatible/qwen3');
});
