import { defined } from '../../defined.ts';
import { messageOf } from '../../errors.ts';
import { type PythonBackendOptions, pythonBackend } from './backend.ts';
import { findInterpreter, type Interpreter } from './interpreter.ts';
import type { IsolationReport } from './isolation.ts';

/** The rows of `fathom doctor` about the python backend. */
export type PythonProbe =
  | { readonly available: false; readonly reason: string; readonly interpreter?: Interpreter }
  | {
      readonly available: true;
      readonly interpreter: Interpreter;
      readonly isolation: IsolationReport;
      readonly timings: PythonTimings;
    };

/** Milliseconds. */
export interface PythonTimings {
  /** To find the interpreter: once per process. */
  readonly findMs: number;
  /** From its start to a boxed zygote, proof included. */
  readonly startMs: number;
  /** The proof alone. */
  readonly proofMs: number;
}

/** Tries the backend out: never throws, says why not instead. */
export async function probePython(options: PythonBackendOptions = {}): Promise<PythonProbe> {
  const startedAt = performance.now();
  let interpreter: Interpreter | undefined;
  const backend = pythonBackend(options);
  try {
    interpreter = await findInterpreter(options.python);
    const findMs = performance.now() - startedAt;
    const isolation = await backend.prove();
    const startMs = performance.now() - startedAt - findMs;
    return { available: true, interpreter, isolation, timings: { findMs, startMs, proofMs: isolation.proofMs } };
  } catch (error) {
    return { available: false, reason: messageOf(error), ...defined({ interpreter }) };
  } finally {
    await backend.close();
  }
}
