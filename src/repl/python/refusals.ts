/** A way of isolation that this machine refused, as the launcher reports it. */
export interface Refusal {
  readonly mode: string;
  readonly reason: string;
}

const WAYS: Readonly<Record<string, string>> = {
  root: "namespaces with root's rights",
  user: 'a user namespace',
  rules: 'Landlock',
};

/** Refusals in words, each once; empty for none. */
export function refusalWords(refused: readonly Refusal[]): string {
  const words = refused.map(({ mode, reason }) => `${WAYS[mode] ?? mode} (${reasonWords(reason)})`);
  return [...new Set(words)].join(', ');
}

function reasonWords(reason: string): string {
  // ENOSPC of clone(2): the number of namespaces is limited, in containers often to none.
  if (/\bErrno 28\b/.test(reason)) return 'user.max_user_namespaces allows no more';
  if (/\bErrno 1\b/.test(reason)) return 'not permitted';
  return reason.replace(/^\[Errno \d+\] /, '');
}
