import { countCharacters } from '../code-points.ts';
import type { Projection } from '../context/index.ts';
import type { Run } from '../engine/run.ts';
import type { ShownImages } from '../engine/shown-images.ts';
import type { Workspace } from '../engine/workspace.ts';
import { messageOf } from '../errors.ts';
import { cutMiddle } from '../repl/error-text.ts';
import type { JsonValue, ProjectionRead, ReplHost } from '../repl/port.ts';
import { type ToolCallOptions, ToolError } from '../tools/toolbox.ts';
import { type Caller, serveSubCall } from './serve-sub-call.ts';
import type { SubCallTally } from './tally.ts';

/** Most characters of a tool's error, for the cell, the event and the journal. A schema may have one for each argument. */
const MAX_TOOL_ERROR_CHARS = 10_000;

/** The parts of a run that serve its cells. */
export interface CellHostOptions {
  readonly run: Run;
  readonly workspace: Pick<Workspace, 'history' | 'projections' | 'bound'>;
  readonly tally: SubCallTally;
  /** Of the model that writes the cells. */
  readonly images?: ShownImages;
}

/** The host side of a run's cells: sub-calls, tools, history, projections, answer checks. */
export function createCellHost({ run, workspace, tally, images }: CellHostOptions): ReplHost {
  const { limits, answerType, models, depth } = run;
  return {
    subCall: (call, signal) => tally.watch(serveSubCall(call, signal, { run, tally, bound: workspace.bound })),
    callTool: (name, args, signal) => tally.watch(callTool({ name, args, signal }, { run, tally })),
    async checkAnswer(json, text) {
      const checked = await answerType?.check({ via: 'final', json, text });
      if (checked === undefined || checked.ok) return { errors: [] };
      tally.invalidAnswers.push(checked.errors);
      return { errors: checked.errors };
    },
    ...(images !== undefined && {
      showImage: async (data: Uint8Array) => images.add(data, models.inUse(models.at(depth))),
    }),
    readHistory: async (read) => workspace.history.read(read),
    readProjection: (read, signal) =>
      timed(limits.toolTimeoutMs, signal, () => readProjection(workspace.projections, read)),
  };
}

interface ToolCall {
  readonly name: string;
  readonly args: Readonly<Record<string, JsonValue>>;
  readonly signal: AbortSignal;
}

async function callTool({ name, args, signal }: ToolCall, { run, tally }: Omit<Caller, 'bound'>): Promise<JsonValue> {
  const startedAt = run.clock.now();
  const { turn, command: commandId } = tally;
  let callId = '';
  let repeated = false as boolean;
  const onKey = (key: string): void => {
    // Keys are unique within a tree; the key that a tool gets is unique everywhere.
    callId = `${run.tree.id}:${key}`;
  };
  const call = { kind: 'tool', turn, command: commandId, request: { name, args }, onKey } as const;
  const { error, value } = await run.journal.step(call, async (step) => {
    repeated = step.again;
    await step.toolBegins(name);
    run.emit({ type: 'tool.started', name, callId, commandId, ...(repeated ? { repeated } : {}) });
    return await runTool({ name, args, signal, key: callId, repeated }, run);
  });
  run.emit({
    type: 'tool.completed',
    name,
    callId,
    commandId,
    ok: error === undefined,
    ...(repeated ? { repeated } : {}),
    ...(error !== undefined && { error: error.message }),
    durationMs: run.clock.now() - startedAt,
  });
  if (error === undefined) return value ?? null;
  throw new ToolError(error.name, error.message);
}

/** The result of a tool call, as the journal records it: an error the cell sees is a result. */
interface ToolOutcome {
  readonly value?: JsonValue;
  readonly error?: { readonly name: string; readonly message: string };
}

async function runTool(
  { name, args, signal, key, repeated }: ToolCall & Pick<ToolCallOptions, 'repeated'> & { readonly key: string },
  { limits, toolbox }: Run,
): Promise<ToolOutcome> {
  try {
    return {
      value: await timed(limits.toolTimeoutMs, signal, (limited) =>
        toolbox.call(name, args, { toolCallId: key, repeated, messages: [], abortSignal: limited }),
      ),
    };
  } catch (error) {
    if (signal.aborted) throw error;
    const name = error instanceof Error ? error.name : 'Error';
    return { error: { name, message: cutMiddle(messageOf(error), MAX_TOOL_ERROR_CHARS) } };
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
    if (read.op === 'get') return await oneValue(projection, read.key);
    if (read.op === 'values') return await valuesOf(projection, read.keys);
  } else {
    if (read.op === 'length') return await projection.length();
    if (read.op === 'slice') return checkSlice(projection.shape, await projection.slice(read.start, read.stop), read);
  }
  throw new ToolError('TypeError', `a lazy ${projection.shape} cannot be read by ${read.op}`);
}

type Mapping = Extract<Projection, { shape: 'mapping' }>;

async function oneValue(projection: Mapping, key: string): Promise<JsonValue> {
  const value = await projection.get(key);
  if (value === undefined) throw new ToolError('KeyError', key);
  return value;
}

/** Bytes of JSON behind which no further value is added to a reply. */
const VALUES_BYTES = 2 * 1024 * 1024;

async function valuesOf(projection: Mapping, keys: readonly string[]): Promise<readonly JsonValue[]> {
  const values: JsonValue[] = [];
  let bytes = 0;
  for (const key of keys) {
    const value = await oneValue(projection, key);
    values.push(value);
    bytes += JSON.stringify(value).length;
    if (bytes >= VALUES_BYTES) break;
  }
  return values;
}

type Slice = Extract<ProjectionRead, { op: 'slice' }>;

/** A slice as the caller gave it: one of another length would shift every position behind it. */
function checkSlice(shape: 'text' | 'list', given: unknown, { start, stop }: Slice): JsonValue {
  const asked = `the slice from ${start} to ${stop} of the lazy ${shape}`;
  if (shape === 'list') {
    if (Array.isArray(given)) return given;
    throw new ToolError('TypeError', `${asked} is not a list`);
  }
  if (typeof given !== 'string') throw new ToolError('TypeError', `${asked} is not a text`);
  const length = countCharacters(given);
  if (length === stop - start) return given;
  throw new ToolError('ValueError', `${asked} has ${length} characters: cut it by code points, as Python counts`);
}
