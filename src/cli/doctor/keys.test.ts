import { expect, test } from 'vitest';
import { lookAtDefaultModel, lookAtProviders } from './keys.ts';

test('a key is named by its variable and never shown', () => {
  const findings = lookAtProviders({ ANTHROPIC_API_KEY: 'sk-ant-secret-1234' });
  expect(findings).toContainEqual(
    expect.objectContaining({ name: 'anthropic', state: 'ok', summary: 'key from ANTHROPIC_API_KEY' }),
  );
  expect(JSON.stringify(findings)).not.toMatch(/secret|sk-ant/);
});

test('providers without a key are counted together, with what to do when there is none at all', () => {
  const rest = lookAtProviders({}).at(-1);
  expect(rest?.summary).toContain('openai');
  expect(rest?.advice).toContain('export OPENAI_API_KEY');
  expect(lookAtProviders({ OPENAI_API_KEY: 'x' }).at(-1)?.advice).toBeUndefined();
});

test('local servers need no key', () => {
  expect(lookAtProviders({}).find((finding) => finding.name === 'ollama')).toMatchObject({ state: 'ok' });
});

test('the default model', () => {
  expect(lookAtDefaultModel({ FATHOM_MODEL: 'openai/gpt-5' }).summary).toBe('openai/gpt-5');
  expect(lookAtDefaultModel({}).advice).toContain('FATHOM_MODEL');
});
