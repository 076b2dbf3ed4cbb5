/**
 * The `python` backend: REPLs in the machine's own CPython on Linux, boxed by namespaces, Landlock and seccomp, forked
 * in milliseconds, with snapshots that are forks too. docs/isolation-python.md says what it promises.
 *
 * @example
 * ```ts
 * const probe = await probePython();
 * if (probe.available && provesFullIsolation(probe.isolation)) console.log('python', probe.interpreter.version);
 * ```
 *
 * @module
 */
export { pythonBackend } from './backend.ts';

export { type IsolationFindings, provesFullIsolation } from './isolation.ts';
export { type PythonProbe, probePython } from './probe.ts';
