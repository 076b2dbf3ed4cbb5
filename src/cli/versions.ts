import { createRequire } from 'node:module';

/** The oldest Node that will do, as `engines` in package.json has it. */
export const LEAST_NODE = '22.19';

/** This Node is not older than {@link LEAST_NODE}. */
export function nodeIsFit(version: string = process.versions.node): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 19);
}

/** The version of this package. */
export const VERSION: string = (createRequire(import.meta.url)('fathom-rlm/package.json') as { version: string })
  .version;
