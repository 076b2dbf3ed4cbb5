/** Without namespaces, as a user without rights: the only one for whom the level process is claimed. */
import { describeRules } from './rules.testing.ts';
import { becomeUnprivileged } from './testing.ts';

const why = process.platform === 'linux' ? becomeUnprivileged() : 'this is not Linux';
await describeRules('python without namespaces, as an unprivileged user', why);
