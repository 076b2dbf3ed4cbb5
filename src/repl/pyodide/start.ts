/**
 * What the first REPL of a process waits for. What does not depend on each other runs side by side: the child starts
 * while its base snapshot is verified and the namespaces are tried.
 *
 * @module
 */
import { messageOf, RlmError } from '../../errors.ts';
import { type BaseSnapshot, type BaseSnapshotRequest, findBaseSnapshot, openBaseSnapshot } from './base-snapshot.ts';
import { cacheFolder } from './cache-folder.ts';
import { FD } from './child/protocol.ts';
import { childCode } from './child-code.ts';
import { type ChildHandle, startChild } from './child-handle.ts';
import { findInstallation } from './installation.ts';
import { findBubblewrap } from './namespace.ts';
import type { PoolOptions, Started } from './pool.ts';
import { type Bait, holds, layBait, type Proof, tryFromPython, tryNamespaces } from './self-test.ts';
import type { Level } from './spawn.ts';

/** Called with every child, so that it can be ended when the pool is closed. */
type Watch = (child: ChildHandle) => ChildHandle;

/** Starts the first child and proves its level. @throws RlmError `isolation-unavailable`, `repl-failure` */
export async function start(options: PoolOptions, watch: Watch): Promise<Started & { readonly first: ChildHandle }> {
  const installation = findInstallation();
  const cache = cacheFolder(options.cacheDir);
  const parts: Parts = { options, installation, code: childCode(installation, cache), node: options.node, cache };
  const bait = await layBait();
  try {
    const { base, spaces, first } = await bootFirst(parts, bait, watch);
    const spawn = (): ChildHandle => watch(spawnBooting(parts, base, spaces));
    options.switches.onReady?.(await first.busy(() => first.ready));
    const proofs = spaces.proof === undefined ? [] : [spaces.proof];
    if (options.switches.open === undefined) {
      const proof = await tryFromPython(first, bait);
      if (!holds(proof)) throw unproved(proof);
      proofs.unshift(proof);
    }
    const { level, refused, bubblewrap } = spaces;
    return { report: { level, refused, bubblewrap, proofs }, base, spawn, first };
  } finally {
    bait.remove();
  }
}

interface Parts extends BaseSnapshotRequest {
  readonly options: PoolOptions;
}

/** The first child, started at the level to be expected; one more when that was wrong. */
async function bootFirst(
  parts: Parts,
  bait: Bait,
  watch: Watch,
): Promise<{ readonly base: BaseSnapshot; readonly spaces: Spaces; readonly first: ChildHandle }> {
  const proving = findLevel(parts, bait);
  const found = findBaseSnapshot(parts);
  const expected = { level: expectedLevel(parts.options), wholeLibraries: false };
  const early = found === undefined ? undefined : watch(spawnChildFor(parts, found, expected));
  const whole = found?.verify() === true;
  if (whole && early !== undefined && found !== undefined) bootIt(parts, found, early);
  else early?.kill('its base snapshot is not whole');
  const base = whole && found !== undefined ? found : await openBaseSnapshot(parts);
  const spaces = await proving;
  const fits = whole && spaces.level === expected.level && spaces.wholeLibraries === expected.wholeLibraries;
  if (fits && early !== undefined) return { base, spaces, first: early };
  early?.kill('another level was reached');
  return { base, spaces, first: watch(spawnBooting(parts, base, spaces)) };
}

function expectedLevel(options: PoolOptions): Level {
  return options.most === 'namespace' && findBubblewrap() !== undefined ? 'namespace' : 'process';
}

interface Spaces {
  readonly level: Level;
  readonly refused: string | undefined;
  readonly bubblewrap: string | undefined;
  readonly wholeLibraries: boolean;
  readonly proof: Proof | undefined;
}

/** Namespaces, when a program starts in them and reaches nothing from there. */
async function findLevel({ options, installation, code }: Parts, bait: Bait): Promise<Spaces> {
  const bubblewrap = findBubblewrap();
  const without = { level: 'process', bubblewrap, wholeLibraries: false, proof: undefined } as const;
  if (options.most === 'process') return { ...without, refused: 'not asked for' };
  if (bubblewrap === undefined) return { ...without, refused: 'bubblewrap (bwrap) is not installed' };
  let refused = '';
  for (const wholeLibraries of [false, true]) {
    try {
      const readable = [...installation.readable, code.folder];
      const proof = await tryNamespaces({ node: options.node, code, readable, wholeLibraries, bait });
      if (holds(proof)) return { level: 'namespace', refused: undefined, bubblewrap, wholeLibraries, proof };
      refused = `reached from inside: ${reachedBy(proof)}`;
    } catch (error) {
      refused = messageOf(error);
    }
  }
  return { ...without, refused };
}

function spawnBooting(parts: Parts, base: BaseSnapshot, spaces: Pick<Spaces, 'level' | 'wholeLibraries'>): ChildHandle {
  const child = spawnChildFor(parts, base, spaces);
  bootIt(parts, base, child);
  return child;
}

function spawnChildFor(
  { options, installation, code }: Parts,
  base: BaseSnapshot,
  spaces: Pick<Spaces, 'level' | 'wholeLibraries'>,
): ChildHandle {
  return startChild({
    ...{ node: options.node, script: code.main, readable: [...installation.readable, code.folder] },
    ...{ ...options.switches, level: spaces.level, wholeLibraries: spaces.wholeLibraries },
    descriptors: { [FD.base]: base.file.fd },
  });
}

function bootIt({ options, installation }: Parts, base: BaseSnapshot, child: ChildHandle): void {
  const { pyodideUrl: pyodideDir, bashUrl } = installation;
  const { open = [], hostFolder } = options.switches;
  const test = hostFolder === undefined ? { open } : { open, hostFolder };
  child.boot({ mode: 'serve', pyodideDir, bashUrl, baseBytes: base.bytes, files: [], ...test });
}

function reachedBy(proof: Proof): string {
  return Object.entries(proof.reached)
    .flatMap(([name, reached]) => (reached ? [name] : []))
    .join(', ');
}

function unproved(proof: Proof): RlmError {
  return new RlmError({
    code: 'isolation-unavailable',
    message: `The pyodide REPL's self-test failed: Python code reached ${reachedBy(proof) || 'an unknown state'}. Please report this.`,
    data: { reached: proof.reached },
  });
}
