import { expect } from 'vitest';
import {
  CompletionError,
  type CompletionRequest,
  type CompletionResult,
  type CompletionRun,
  createRlm,
  type ReplBackend,
  type Rlm,
  type RlmOptions,
  type RunEvent,
  type Unfinished,
} from '../../src/index.ts';
import { selectBackend } from '../../src/repl/select.ts';
import { type ScriptedModel, type ScriptedReply, type ScriptedResponder, scriptedModel } from '../../src/test.ts';
import { atFileEnd } from '../file-end.ts';
import { findPython, plainPython } from '../repl-conformance/plain-python.ts';
import { checkEvents } from './check-events.ts';

/** The REPL the engine's tests run on: the one that proves itself here, unless the environment says otherwise. */
const REPL = process.env.FATHOM_TEST_REPL ?? 'auto';

export { checkEvents };

/** One backend for all tests of a process, so that its spares stay warm between them. It ends with the process. */
const backend: ReplBackend = await openBackend();
const open: Rlm[] = [];
/** Every event of every run of the file under way, for the one assertion that all of them owe. */
const seen: RunEvent[] = [];

async function openBackend(): Promise<ReplBackend> {
  if (REPL !== 'plain') return await selectBackend(REPL as 'auto' | 'pyodide' | 'python');
  const { path, reason } = findPython();
  if (path === undefined) throw new Error(`FATHOM_TEST_REPL=plain: ${reason}`);
  return plainPython({ python: path });
}

async function endOfFile(): Promise<void> {
  await Promise.all(open.splice(0).map((rlm) => rlm.close()));
  expect(checkEvents(seen.splice(0))).toEqual([]);
}

/** An `Rlm` that is closed when the test file ends. */
export function rlmOf(options: RlmOptions): Rlm {
  if (open.length === 0) atFileEnd(endOfFile);
  const onEvent = (event: RunEvent): void => {
    seen.push(event);
    options.onEvent?.(event);
  };
  const rlm = createRlm({ repl: backend, isolation: REPL === 'plain' ? 'none' : 'process', ...options, onEvent });
  open.push(rlm);
  return rlm;
}

/** The outcome of a scripted run. */
export interface Played<T> {
  readonly result: CompletionResult<T>;
  readonly events: readonly RunEvent[];
  readonly root: ScriptedModel;
  readonly sub: ScriptedModel;
}

/** A root model's replies; sub-calls are answered by `sub`, in upper case by default. */
export interface Script<T> extends Omit<CompletionRequest<T>, 'query' | 'model'> {
  readonly query?: string;
  readonly root: readonly ScriptedReply[] | ScriptedResponder;
  readonly sub?: readonly ScriptedReply[] | ScriptedResponder;
  readonly options?: Partial<RlmOptions>;
}

/** Plays a script to its end. */
export async function play<T = string>(script: Script<T>): Promise<Played<T>> {
  const { run, ...rest } = start(script);
  const result = await run;
  return { result, ...rest };
}

/** Plays a script that has to fail or be aborted. */
export async function playToFailure(
  script: Script<unknown>,
): Promise<{ readonly error: CompletionError; readonly result: Unfinished; readonly events: readonly RunEvent[] }> {
  const { run, events } = start(script);
  try {
    await run;
  } catch (error) {
    if (error instanceof CompletionError) return { error, result: error.result, events };
    throw error;
  }
  throw new Error('the run was expected to fail');
}

/** A script under way. */
export interface Started<T> extends Omit<Played<T>, 'result'> {
  readonly run: CompletionRun<T>;
}

/** Starts a script; events are collected as they come. */
export function start<T = string>({ root, sub, options, query, ...request }: Script<T>): Started<T> {
  const rootModel = scriptedModel(root, { modelId: 'root' });
  const subModel = scriptedModel(sub ?? (({ prompt }) => prompt.toUpperCase()), { modelId: 'sub' });
  const events: RunEvent[] = [];
  const rlm = rlmOf({ model: rootModel, subModel, ...options, onEvent: (event) => events.push(event) });
  const run = rlm.completion<T>({ query: query ?? 'What is it?', ...request } as CompletionRequest<T>);
  return { run, events, root: rootModel, sub: subModel };
}

/** A cell in a reply. */
export function cell(...lines: string[]): string {
  return `\`\`\`repl\n${lines.join('\n')}\n\`\`\``;
}

/** The text of the last message a model got in its n-th call. */
export function promptOf(model: ScriptedModel, call: number): string {
  return model.requests[call]?.prompt ?? '';
}
