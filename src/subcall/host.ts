import { countCharacters } from '../code-points.ts';
import type { Projection } from '../context/index.ts';
import { messageOf } from '../errors.ts';
import type { HistoryRead, JsonValue, ProjectionRead, ReplHost } from '../repl/port.ts';
import { type Toolbox, ToolError, UnrecordedToolCall } from '../tools/toolbox.ts';
import type { SubCallContext } from './context.ts';
import { serveSubCall } from './serve-sub-call.ts';

/** What answering a cell's requests needs besides sub-calls. */
export interface HostOptions {
  readonly context: SubCallContext;
  readonly toolbox: Toolbox;
  readonly projections: ReadonlyMap<string, Projection>;
  readonly readHistory: (read: HistoryRead) => JsonValue;
  /** Every error of a typed answer; empty when it fits. */
  readonly checkAnswer: (json: string | null, text: string) => Promise<readonly string[]>;
}

/** The host side of a completion's cells: sub-calls, tools, history, projections, answer checks. */
export function createHost(options: HostOptions): ReplHost {
  const { context } = options;
  return {
    subCall: (call, signal) => context.tally.watch(serveSubCall(call, signal, context)),
    callTool: (name, args, signal) => context.tally.watch(callTool(options, { name, args, signal })),
    async checkAnswer(json, text) {
      const errors = await options.checkAnswer(json, text);
      if (errors.length > 0) context.tally.invalidAnswers.push(errors);
      return { errors };
    },
    readHistory: (read) => Promise.resolve(options.readHistory(read)),
    readProjection: (read, signal) =>
      timed(context.limits.toolTimeoutMs, signal, () => readProjection(options.projections, read)),
  };
}

interface ToolCall {
  readonly name: string;
  readonly args: Readonly<Record<string, JsonValue>>;
  readonly signal: AbortSignal;
}

async function callTool(options: HostOptions, { name, args, signal }: ToolCall): Promise<JsonValue> {
  const { context } = options;
  const startedAt = context.clock.now();
  const completed = (error: ToolOutcome['error']): void =>
    context.emit({
      type: 'tool.completed',
      name,
      ok: error === undefined,
      ...(error !== undefined && { error: error.message }),
      durationMs: context.clock.now() - startedAt,
    });
  const { turn, command } = context.tally;
  const outcome = await context.journal.step({ kind: 'tool', turn, command, request: { name, args } }, () =>
    runTool(options, { name, args, signal }),
  );
  completed(outcome.error);
  if (outcome.error === undefined) return outcome.value ?? null;
  throw new ToolError(outcome.error.name, outcome.error.message);
}

/** What a tool call came to, as the journal records it: an error the cell sees is a result. */
interface ToolOutcome {
  readonly value?: JsonValue;
  readonly error?: { readonly name: string; readonly message: string };
}

async function runTool({ context, toolbox }: HostOptions, { name, args, signal }: ToolCall): Promise<ToolOutcome> {
  try {
    return { value: await timed(context.limits.toolTimeoutMs, signal, (limited) => toolbox.call(name, args, limited)) };
  } catch (error) {
    if (signal.aborted || error instanceof UnrecordedToolCall) throw error;
    return { error: { name: error instanceof Error ? error.name : 'Error', message: messageOf(error) } };
  }
}

/** Bounds work by `toolTimeoutMs` and by the cell's own signal. */
async function timed<T>(ms: number, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(ms)]);
  let onAbort = (): void => undefined;
  const stopped = new Promise<never>((_, reject) => {
    onAbort = () =>
      reject(
        new ToolError(
          'TimeoutError',
          `stopped: ${signal.aborted ? 'the cell or the run is over' : `it took over ${ms} ms (toolTimeoutMs)`}`,
        ),
      );
    limited.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work(limited), stopped]);
  } finally {
    limited.removeEventListener('abort', onAbort);
  }
}

async function readProjection(projections: ReadonlyMap<string, Projection>, read: ProjectionRead): Promise<JsonValue> {
  const projection = projections.get(read.id);
  if (projection === undefined) throw new ToolError('LookupError', `there is no projection ${read.id}`);
  if (projection.shape === 'mapping') {
    if (read.op === 'keys') return await projection.keys();
    if (read.op === 'length') return (await projection.keys()).length;
    if (read.op === 'get') {
      const value = await projection.get(read.key);
      if (value === undefined) throw new ToolError('KeyError', read.key);
      return value;
    }
  } else {
    if (read.op === 'length') return await projection.length();
    if (read.op === 'slice') return checkSlice(projection.shape, await projection.slice(read.start, read.stop), read);
  }
  throw new ToolError('TypeError', `a lazy ${projection.shape} cannot be read by ${read.op}`);
}

type Slice = Extract<ProjectionRead, { op: 'slice' }>;

/** A slice as the caller gave it: one of another length would put every position behind it in the wrong place. */
function checkSlice(shape: 'text' | 'list', given: unknown, { start, stop }: Slice): JsonValue {
  const asked = `the slice from ${start} to ${stop} of the lazy ${shape}`;
  if (shape === 'list') {
    if (Array.isArray(given)) return given;
    throw new ToolError('TypeError', `${asked} is no list`);
  }
  if (typeof given !== 'string') throw new ToolError('TypeError', `${asked} is no text`);
  const length = countCharacters(given);
  if (length === stop - start) return given;
  throw new ToolError(
    'ValueError',
    `${asked} has ${length} characters: it has to be cut by code point, as Python counts`,
  );
}
