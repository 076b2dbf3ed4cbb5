import { expect, test } from 'vitest';
import type { CommandNode, RunNode } from '../../view/run-node.ts';
import { colorsFor } from '../screen/console.ts';
import { streamTo } from '../screen/testing.ts';
import { treeLines } from './tree-lines.ts';

const COMMAND: CommandNode = {
  id: 't1.0',
  command: { type: 'cell', code: `replies = llm_query_batched(${'x'.repeat(100)})` },
  ok: true,
  durationMs: 6,
  timedOut: false,
  startedAt: '2026-01-02T03:04:05.678Z',
  ...{ shown: '', stdout: '', stderr: '' },
  subCalls: 3,
  failedSubCalls: 1,
  calls: [],
  children: [],
};
const RUN = { turns: [{ number: 1, reply: '', durationMs: 10, commands: [COMMAND], rejected: [] }] };

test('a line that is too narrow loses of the source, and nothing of what it came to', () => {
  const [, line = ''] = treeLines(RUN as unknown as RunNode, { colors: colorsFor(streamTo([]), {}), width: 60 });
  expect(line).toMatch(/^ {2}✓ t1\.0 cell replies = .*… · 6 ms · 3 sub-calls \(1 failed\)$/);
  expect([...line]).toHaveLength(60);
});
