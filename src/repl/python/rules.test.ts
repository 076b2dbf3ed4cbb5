/** Without namespaces, as the user who runs the tests. */
import { describeRules } from './rules.testing.ts';

await describeRules('python without namespaces', process.platform === 'linux' ? undefined : 'this is not Linux');
