/** Backends for this folder's tests: another Node by FATHOM_TEST_NODE, and a cache of their own. @module */
import { createBackend, type InternalOptions, type PyodideBackend } from './backend.ts';

/** A backend as tests want it. */
export function testBackend(options: InternalOptions = {}): PyodideBackend {
  const node = process.env.FATHOM_TEST_NODE;
  return createBackend({ ...(node === undefined ? {} : { node }), ...options });
}
