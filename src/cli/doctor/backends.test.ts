import { describe, expect, test } from 'vitest';
import type { IsolationReport } from '../../repl/python/isolation.ts';
import { pythonFinding } from './backends.ts';

const NOTHING: IsolationReport['findings'] = {
  ...{ files: [], writes: [], metadata: [], shared: [], network: [], processes: [], signals: [], privileges: [] },
  ...{ environment: [], descriptors: [] },
};
const CLONE = ['root', 'root', 'user', 'user'].map((mode) => ({
  mode,
  reason: mode === 'root' ? '[Errno 1] clone: Operation not permitted' : '[Errno 28] clone: No space left on device',
}));

function found(report: Partial<IsolationReport>) {
  return pythonFinding({
    available: true,
    interpreter: { executable: '/usr/bin/python3', version: '3.11.7', folders: [], packages: [] },
    isolation: { level: 'namespace', mode: 'user', findings: NOTHING, refused: [], short: [], proofMs: 1, ...report },
    timings: { findMs: 1, startMs: 1, proofMs: 1 },
  });
}

describe('the native REPL in a container', () => {
  test('without namespaces: one line of words for what is refused, and options that work', () => {
    const { state, details, advice } = found({ level: 'none', mode: 'rules', refused: CLONE });
    expect(state).toBe('partly');
    expect(details.filter((line) => line.includes('refused'))).toEqual([
      "refused by this machine: namespaces with root's rights (not permitted), a user namespace (user.max_user_namespaces allows no more)",
    ]);
    expect(details.join()).not.toMatch(/Errno|[{}]/);
    expect(advice).toContain('--repl python --isolation none does');
  });

  test('at the level process: the default isolation takes it', () => {
    expect(found({ level: 'process', mode: 'rules', refused: CLONE }).advice).toMatch(/--repl python does$/);
  });

  test('with namespaces: neither a refusal nor advice', () => {
    const finding = found({});
    expect(finding).toMatchObject({ state: 'ok' });
    expect(finding.advice).toBeUndefined();
    expect(finding.details.join()).not.toContain('refused');
  });
});
