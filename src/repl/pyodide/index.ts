/**
 * The embedded backend: CPython in WebAssembly, one worker process per REPL, behind three walls. It needs nothing but
 * the package and Node; docs/isolation-pyodide.md says what it promises.
 *
 * @example
 * ```ts
 * const rlm = createRlm({ model: 'openai/gpt-5', repl: pyodideBackend({ spares: 2 }) });
 * ```
 *
 * @module
 */

import { defined } from '../../defined.ts';
import { createBackend, type PyodideBackend, type PyodideBackendOptions } from './backend.ts';

export type { PyodideBackend, PyodideBackendOptions } from './backend.ts';

export { type PyodideProbe, probePyodide } from './probe.ts';
export type { Proof } from './self-test.ts';

/**
 * REPLs in embedded Python. Nothing starts before the first one is opened; the first one on a machine takes about two
 * seconds more, for the base snapshot.
 */
export function pyodideBackend(options: PyodideBackendOptions = {}): PyodideBackend {
  const { cacheDir, spares, snapshotBytes, most } = options;
  return createBackend({
    ...defined({ cacheDir, spares, snapshotBytes, most }),
  });
}
