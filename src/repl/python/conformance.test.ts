/** The port's own suites on the python backend. */
import { describeHostileCells, describeReplConformance } from '../../../test/repl-conformance/index.ts';
import { pythonBackend } from './backend.ts';
import { describeWithPython, PYTHON_CAPABILITIES } from './testing.ts';

await describeWithPython('python', ({ name, options }) => {
  const open = async () => pythonBackend(options);
  describeReplConformance(name, open, PYTHON_CAPABILITIES);
  describeHostileCells(name, open, PYTHON_CAPABILITIES);
});
