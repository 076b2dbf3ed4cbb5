import { expect, test } from 'vitest';
import { refusalWords } from './refusals.ts';

test.each([
  ['nothing', [], ''],
  [
    'a container, which tries each way twice',
    [
      { mode: 'root', reason: '[Errno 1] clone: Operation not permitted' },
      { mode: 'root', reason: '[Errno 1] clone: Operation not permitted' },
      { mode: 'user', reason: '[Errno 28] clone: No space left on device' },
      { mode: 'user', reason: '[Errno 28] clone: No space left on device' },
    ],
    "namespaces with root's rights (not permitted), a user namespace (user.max_user_namespaces allows no more)",
  ],
  [
    'an old kernel',
    [{ mode: 'rules', reason: 'this kernel has no Landlock' }],
    'Landlock (this kernel has no Landlock)',
  ],
  [
    'another error',
    [{ mode: 'user', reason: '[Errno 22] unshare: Invalid argument' }],
    'a user namespace (unshare: Invalid argument)',
  ],
])('refusals in words: %s', (_, refused, words) => {
  expect(refusalWords(refused)).toBe(words);
});
