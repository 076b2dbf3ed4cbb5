import type { ContextSet, LoadedContext, Projection } from '../context/index.ts';
import type { Repl, ReplBindings, ReplHost } from '../repl/port.ts';
import { ToolError } from '../tools/toolbox.ts';
import { ContextFilePaths } from './context-files.ts';
import { History } from './history.ts';
import type { Run } from './run.ts';

/** Serves a REPL between two completions of a session, when cells cannot ask for anything. */
const idleHost: ReplHost = {
  subCall: () => Promise.reject(new Error('no completion runs')),
  callTool: () => Promise.reject(new Error('no completion runs')),
  checkAnswer: () => Promise.resolve({ errors: ['no completion runs'] }),
  readHistory: () => Promise.resolve(null),
  readProjection: () => Promise.resolve(null),
};

/** A cell of the session's own: its caller sees the output as text. */
function nobodyLooks(): never {
  throw new ToolError('ValueError', 'no model looks at this cell: show() works in the cells that a model writes');
}

/** The contexts that are `context` in a REPL, and their variables' names as the first message lists them. */
export interface ContextsInForce {
  readonly contexts: ContextSet;
  readonly names: readonly string[];
  /** Where cells find their files, in words for the model. */
  readonly files?: string;
}

/** The bindings of a REPL, and the contexts that are in force from then on. */
export interface Bound {
  readonly bindings: ReplBindings;
  readonly inForce: ContextsInForce;
}

/** A REPL with its history. A completion has one to itself; a session keeps one across its completions. */
export interface Workspace {
  readonly repl: Repl;
  readonly history: History;
  /** Lets `host` answer what cells ask, until the returned function is called. */
  serve(host: ReplHost): () => void;
  /** The number of the next context: `context_0`, `context_1`, … */
  nextContext(): number;
  /** The contexts bound last: a rollback does not undo them. */
  contextsInForce(): ContextsInForce | undefined;
  bind(bound: Bound): Promise<void>;
  /** By id: variables that read from the host live as long as the REPL. */
  readonly projections: Map<string, Projection>;
  /** By the name of their variable: what cells may hand to a child by reference. */
  readonly bound: Map<string, LoadedContext>;
  readonly contextFiles: ContextFilePaths;
  close(): Promise<void>;
}

/** Opens a REPL for a run, and reports the steps of that as progress. */
export function openRunWorkspace(run: Run): Promise<Workspace> {
  const { engine, limits, stop } = run;
  reportOpening(run, 'starting the REPL');
  const onPreparing = (): void => reportOpening(run, 'preparing the sandbox, once on this machine');
  const open = (host: ReplHost): Promise<Repl> =>
    engine.openRepl({ host, limits, signal: stop.hardSignal, onPreparing });
  return openWorkspace(open, new ContextFilePaths(limits.contextFileBytes));
}

/** Reports what a run does before its first turn. */
export function reportOpening({ emit, limits }: Run, status: string): void {
  emit({ type: 'run.progress', turn: 0, maxTurns: limits.maxTurns, fraction: 0, status });
}

/** Opens a REPL and wraps it: the host that answers its cells can change, the REPL stays. */
async function openWorkspace(
  open: (host: ReplHost) => Promise<Repl>,
  contextFiles: ContextFilePaths,
): Promise<Workspace> {
  let current = idleHost;
  let contexts = 0;
  let inForce: ContextsInForce | undefined;
  const repl = await open({
    subCall: (call, signal) => current.subCall(call, signal),
    callTool: (name, args, signal) => current.callTool(name, args, signal),
    checkAnswer: (json, text) => current.checkAnswer(json, text),
    showImage: (image) => (current.showImage ?? nobodyLooks)(image),
    readHistory: (read) => current.readHistory(read),
    readProjection: (read, signal) => current.readProjection(read, signal),
  });
  return {
    repl,
    history: new History(),
    projections: new Map(),
    bound: new Map(),
    contextFiles,
    contextsInForce: () => inForce,
    async bind(bound) {
      await repl.bind(bound.bindings);
      inForce = bound.inForce;
    },
    serve(host) {
      current = host;
      return () => {
        if (current === host) current = idleHost;
      };
    },
    nextContext: () => contexts++,
    close: () => repl.close(),
  };
}
