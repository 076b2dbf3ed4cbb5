import { describe } from 'vitest';
import type { ReplBackend } from '../../src/index.ts';
import { describeWithPython } from '../../src/repl/python/testing.ts';
import { selectBackend } from '../../src/repl/select.ts';

/** Defines the same tests for the embedded and the native REPL; the native one is skipped, with a reason, where it cannot run. */
export async function onEachBackend(
  define: (backend: { readonly name: 'pyodide' | 'python'; readonly repl: ReplBackend }) => void,
): Promise<void> {
  const pyodide = await selectBackend('pyodide');
  describe('pyodide', () => define({ name: 'pyodide', repl: pyodide }));
  await describeWithPython('python', () => {
    let python: Promise<ReplBackend> | undefined;
    // Opened by the first test: a machine without Python never asks for it.
    const open: ReplBackend['open'] = async (options) => {
      python ??= selectBackend('python');
      return await (await python).open(options);
    };
    const close = async (): Promise<void> => await (await python)?.close();
    define({ name: 'python', repl: { name: 'python', open, close } });
  });
}

/** Where the backend makes no difference: on the one that this machine's users get; in `npm run soak` on each. */
export async function onOneBackend(define: (backend: { readonly repl: ReplBackend }) => void): Promise<void> {
  if (process.env.FATHOM_SOAK !== undefined) return await onEachBackend(define);
  const repl = await selectBackend('auto');
  define({ repl });
}
