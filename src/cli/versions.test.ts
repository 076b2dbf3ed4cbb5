import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LEAST_NODE, nodeIsFit } from './versions.ts';

test('the oldest Node that will do is that of package.json', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(engines.node).toBe(`>=${LEAST_NODE}.0`);
  expect([`${LEAST_NODE}.0`, '24.0.0'].map((version) => nodeIsFit(version))).toEqual([true, true]);
  expect(['20.20.2', '22.18.0'].map((version) => nodeIsFit(version))).toEqual([false, false]);
});
