import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { defaultMaxRepls, thisMachine } from '../../limits.ts';
import { findBubblewrap } from '../../repl/namespace.ts';
import { LEAST_NODE, nodeIsFit } from '../versions.ts';
import type { Finding } from './findings.ts';

const run = promisify(execFile);
const PATIENCE_MS = 5_000;

/** Node and the machine under it. */
export function lookAtNode(): Finding {
  const fit = nodeIsFit();
  const { memoryBytes, cores } = thisMachine();
  return {
    name: 'node',
    state: fit ? 'ok' : 'missing',
    summary: `${process.version}, ${process.platform} ${process.arch}, ${cores} cores, ${(memoryBytes / 2 ** 30).toFixed(0)} GiB`,
    details: [`at most ${defaultMaxRepls()} REPLs at once (maxRepls): half of the memory, and 32 per core`],
    ...(fit ? {} : { advice: `Fathom needs Node ${LEAST_NODE} or later` }),
  };
}

/**
 * bubblewrap: it puts the embedded REPL into namespaces of its own. A version does not prove that it works: user
 * namespaces may be forbidden.
 */
export async function lookAtBubblewrap(): Promise<Finding> {
  const name = 'bubblewrap';
  if (process.platform !== 'linux') return { name, state: 'partly', summary: 'Linux only', details: [] };
  const bwrap = findBubblewrap();
  if (bwrap === undefined) {
    const advice = 'optional: apt install bubblewrap (or dnf, pacman) gives the embedded REPL namespaces of its own';
    return { name, state: 'partly', summary: 'not installed', details: [], advice };
  }
  const version = await run(bwrap, ['--version'], { timeout: PATIENCE_MS }).then(
    ({ stdout }) => stdout.trim(),
    () => bwrap,
  );
  try {
    await run(bwrap, ['--unshare-all', '--ro-bind', '/', '/', process.execPath, '--version'], { timeout: PATIENCE_MS });
    return { name, state: 'ok', summary: `${version}, a trial run works`, details: [] };
  } catch {
    return {
      name,
      state: 'partly',
      summary: `${version}, but a trial run fails`,
      details: [],
      advice: 'user namespaces are not allowed here (kernel.unprivileged_userns_clone, AppArmor, or the container)',
    };
  }
}
