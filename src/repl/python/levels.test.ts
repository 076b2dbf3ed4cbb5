/** Which level the findings of the proof allow to claim. */
import { expect, test } from 'vitest';
import { type IsolationFindings, levelOf } from './isolation.ts';

const NOTHING: IsolationFindings = {
  files: [],
  writes: [],
  metadata: [],
  shared: [],
  network: [],
  processes: [],
  signals: [],
  privileges: [],
  environment: ['PATH'],
  descriptors: ['0 /dev/null'],
};

test('nothing found is the level namespace in namespaces, and process without them', () => {
  expect(levelOf('root', NOTHING, true)).toBe('namespace');
  expect(levelOf('user', NOTHING, true)).toBe('namespace');
  expect(levelOf('user', NOTHING, false)).toBe('namespace');
  expect(levelOf('rules', NOTHING, false)).toBe('process');
});

test('the level process is not claimed for root', () => {
  expect(levelOf('rules', NOTHING, true)).toBe('none');
  expect(levelOf('root', { ...NOTHING, processes: ['77'] }, true)).toBe('none');
});

test('whatever reaches the host leaves no level, in every way into the box', () => {
  for (const list of ['files', 'writes', 'metadata', 'shared', 'network', 'signals', 'privileges'] as const) {
    for (const mode of ['root', 'user', 'rules'] as const) {
      expect([list, levelOf(mode, { ...NOTHING, [list]: ['found'] }, false)]).toEqual([list, 'none']);
    }
  }
  expect(levelOf('rules', { ...NOTHING, processes: ['77'] }, false)).toBe('process');
});
