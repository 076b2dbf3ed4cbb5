import { existsSync } from 'node:fs';

/** The shell that runs bash commands in the box; the box shows the host's own programs. */
export function findShellName(): string {
  return ['/bin/bash', '/usr/bin/bash', '/usr/local/bin/bash'].some((path) => existsSync(path)) ? 'bash' : 'sh';
}
