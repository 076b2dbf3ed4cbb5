import { invalidOption, isObject, kindOf } from '../argument-checks.ts';
import type { RlmError } from '../errors.ts';
import type { ReplBackend } from './port.ts';

/** Which REPL to use: a backend by name, one of the caller's own, or the best that proves itself here. */
export type ReplChoice = 'auto' | 'pyodide' | 'python' | ReplBackend;

/**
 * The backend for a choice. Backends are loaded when they are first needed.
 *
 * @throws RlmError `invalid-option` for an unknown name
 */
export async function selectBackend(choice: ReplChoice): Promise<ReplBackend> {
  if (isBackend(choice)) return choice;
  switch (choice) {
    case 'auto':
      return (await provedPython()) ?? (await embedded());
    case 'pyodide':
      return await embedded();
    case 'python': {
      const { pythonBackend } = await import('./python/backend.ts');
      return pythonBackend();
    }
    default:
      throw unknownChoice(choice);
  }
}

const NAMES: readonly unknown[] = ['auto', 'pyodide', 'python'];

/** Whether it names a backend or is one, without loading any. @throws RlmError `invalid-option` */
export function checkChoice(choice: ReplChoice): void {
  if (!isBackend(choice) && !NAMES.includes(choice)) throw unknownChoice(choice);
}

function unknownChoice(choice: unknown): RlmError {
  return invalidOption(`The REPL has to be auto, pyodide, python or a backend object; this is ${kindOf(choice)}`);
}

/** A backend of the caller's own, which is the caller's to close. */
export function isBackend(choice: ReplChoice): choice is ReplBackend {
  return isObject(choice) && typeof choice.open === 'function';
}

async function embedded(): Promise<ReplBackend> {
  const { pyodideBackend } = await import('./pyodide/index.ts');
  return pyodideBackend();
}

/** The machine's Python, where its self-test proves the whole box; the process started for the proof stays in use. */
async function provedPython(): Promise<ReplBackend | undefined> {
  const { pythonBackend } = await import('./python/backend.ts');
  const { provesFullIsolation } = await import('./python/isolation.ts');
  const backend = pythonBackend();
  // No Python, no namespaces, no proof: each is a reason to use the embedded one, and `fathom doctor` shows which.
  const report = await backend.prove().catch(() => undefined);
  if (report !== undefined && provesFullIsolation(report)) return backend;
  await backend.close();
  return undefined;
}
