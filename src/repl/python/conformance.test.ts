/** The port's own suites on the python backend. */
import { describeHostileCells, describeReplConformance } from '../../../test/repl-conformance/index.ts';
import { pythonBackend } from './backend.ts';
import { describeWithPython, PYTHON_CAPABILITIES } from './test-machine.ts';

describeWithPython('python', ({ modes }) => {
  const open = async () => pythonBackend({ modes });
  describeReplConformance('python', open, PYTHON_CAPABILITIES);
  describeHostileCells('python', open, PYTHON_CAPABILITIES);
});
