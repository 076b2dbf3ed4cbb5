/**
 * The worker: Pyodide on the main thread of a process of its own, one REPL. Reads frames, runs what they ask, answers.
 *
 * @module
 */
import { serve } from './serve.ts';

await serve();
