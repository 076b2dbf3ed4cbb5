import { describeHostileCells, describeReplConformance } from '../../../test/repl-conformance/index.ts';
import { testBackend } from './testing.ts';

const capabilities = {
  least: 'process',
  threads: false,
  subprocess: false,
  snapshots: true,
  softInterrupt: true,
  bash: true,
  isolated: true,
  memoryLimit: true,
  diskLimit: true,
} as const;

describeReplConformance('pyodide', async () => testBackend(), capabilities);
describeHostileCells('pyodide', async () => testBackend(), capabilities);
