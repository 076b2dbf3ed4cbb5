/** The port's own suites on the python backend, run by a user without rights. */
import { describeHostileCells, describeOtherUser } from '../../../test/repl-conformance/index.ts';
import { pythonBackend } from './backend.ts';
import { describeUnprivileged, PYTHON_CAPABILITIES } from './testing.ts';

await describeUnprivileged('python', ({ name, options }) => {
  const open = async () => pythonBackend(options);
  describeOtherUser(name, open, PYTHON_CAPABILITIES);
  describeHostileCells(name, open, PYTHON_CAPABILITIES);
});
