import { RlmError } from '../errors.ts';
import type { ReplBackend } from './port.ts';

/** Which REPL to use: a backend by name, one of the caller's own, or the best that proves itself here. */
export type ReplChoice = 'auto' | 'pyodide' | 'python' | ReplBackend;

/**
 * The backend for a choice. Backends are loaded when they are first needed.
 *
 * @throws RlmError `invalid-option` for an unknown name
 */
export async function selectBackend(choice: ReplChoice): Promise<ReplBackend> {
  if (typeof choice !== 'string') return choice;
  switch (choice) {
    case 'auto':
    case 'pyodide': {
      const { pyodideBackend } = await import('./pyodide/index.ts');
      return pyodideBackend();
    }
    case 'python': {
      const { pythonBackend } = await import('./python/index.ts');
      return pythonBackend();
    }
    default:
      throw new RlmError({
        code: 'invalid-option',
        message: `There is no REPL "${String(choice)}": use auto, pyodide, python, or a backend object.`,
        userAction: true,
      });
  }
}
