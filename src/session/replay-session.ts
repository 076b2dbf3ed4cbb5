import { isObject } from '../argument-checks.ts';
import type { Clock } from '../clock.ts';
import { defined } from '../defined.ts';
import { CompletionError, type CompletionResult } from '../engine/result.ts';
import type { Run } from '../engine/run.ts';
import { messageOf, RlmError } from '../errors.ts';
import type { RunEvent } from '../event/event.ts';
import { type Journal, notRecorded, openJournal } from '../journal/index.ts';
import { recordedLimits } from '../limits.ts';
import type { ModelPolicy } from '../model/model-policy.ts';
import type { ModelSettings } from '../model/model-settings.ts';
import type { Repl } from '../repl/port.ts';
import { abortRun } from '../resume/abort-run.ts';
import { type RecordedModels, recordedPolicy } from '../resume/recorded-models.ts';
import { loadStored, loadStoredAttachments, loadStoredSeeds } from '../resume/stored-context.ts';
import { executeRun } from '../run/execute-run.ts';
import { openRun } from '../run/open-run.ts';
import { jsonSchema } from '../schema/json-schema-answer.ts';
import type { RunRecord, Store } from '../store/index.ts';
import { Divergences, differencesOf } from './divergence.ts';
import type { LiveSession } from './live-session.ts';
import type { BashResult, CellResult, ExecuteOptions, SessionDivergence } from './session.ts';
import type { CommandOutcome } from './session-commands.ts';
import type { SessionContexts } from './session-contexts.ts';
import type { LoggedOperation, OperationEnd, SessionLog, SessionOperation } from './session-log.ts';
import { type RecordedTools, replayedTools } from './session-tools.ts';
import type { StoredConfig } from './stored-session.ts';

/** The parts that a session is restored from. */
export interface ReplayOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly run: Run;
  /** Of what its own cells asked. */
  readonly journal: Journal;
  readonly log: SessionLog;
  readonly contexts: SessionContexts;
  /** The tools of the session. */
  readonly tools: RecordedTools;
  readonly stored: StoredConfig;
}

/**
 * Replays the session's log; calls that were paid for are answered from the journals. An operation that ends otherwise
 * than recorded is emitted and returned.
 */
export async function replaySession(
  session: LiveSession,
  operations: readonly LoggedOperation[],
  options: ReplayOptions,
): Promise<SessionDivergence | undefined> {
  const divergences = new Divergences(session.parts.events);
  const { last, lastOperation = -1 } = options.stored;
  const names = [...(last?.variables.map(({ name }) => name) ?? []), ...(last?.diverged?.variables ?? [])];
  const compare = async (done: number): Promise<void> => {
    if (done === lastOperation) divergences.missing(await missing(session, names));
  };
  await compare(0);
  for (const [index, logged] of operations.entries()) {
    await session.replay(() => redo(session, logged, { ...options, divergences }));
    await compare(index + 1);
  }
  return divergences.summary();
}

async function missing(session: LiveSession, names: readonly string[]): Promise<readonly string[]> {
  const there = new Set((await session.parts.workspace.repl.variables()).map(({ name }) => name));
  return [...new Set(names)].filter((name) => !there.has(name)).sort();
}

interface Replaying extends ReplayOptions {
  readonly divergences: Divergences;
}

async function redo(session: LiveSession, logged: LoggedOperation, options: Replaying): Promise<void> {
  const { commands } = session.parts;
  const { operation } = logged;
  switch (operation.op) {
    case 'execute': {
      const { code, models } = operation;
      const policy = await policyOf(models, options.run);
      const execute = (timed: ExecuteOptions): Promise<CommandOutcome<CommandResult>> =>
        commands.withModels(policy, () => commands.execute(code, timed));
      // Of a cell that has ended, only recorded answers are given; one that was under way continues.
      options.journal.unrecorded = logged.end === undefined ? 'run' : 'refuse';
      try {
        return await redoCommand(session, logged, { ...options, kind: 'cell', source: code, perform: execute });
      } finally {
        options.journal.unrecorded = 'run';
      }
    }
    case 'bash': {
      const { command } = operation;
      const bash = (timed: ExecuteOptions): Promise<CommandOutcome<CommandResult>> => commands.bash(command, timed);
      return await redoCommand(session, logged, { ...options, kind: 'bash', source: command, perform: bash });
    }
    case 'completion':
      return await redoCompletion(session, operation, options);
    default:
      return await redoPlain(session, { ...logged, operation }, options);
  }
}

type PlainOperation = Exclude<SessionOperation, { readonly op: 'execute' | 'bash' | 'completion' }>;

/**
 * Repeats an operation that is not a command. Without a recorded end it was interrupted, or an older version wrote it.
 */
async function redoPlain(
  session: LiveSession,
  { operation, end }: { readonly operation: PlainOperation; readonly end: OperationEnd | undefined },
  { divergences }: Replaying,
): Promise<void> {
  const id = `${operation.op} ${operation.name}`;
  divergences.at(id);
  try {
    await doPlain(session.parts.workspace.repl, operation);
    if (end?.ok === false) divergences.command(id, `Replaying ${id}: it did not fail, and had.`);
  } catch (error) {
    if (end?.ok === false && RlmError.isInstance(error) && error.code === end.errorType) return;
    divergences.command(id, `Replaying ${id}: ${messageOf(error)}`);
  }
}

async function doPlain(repl: Repl, operation: PlainOperation): Promise<void> {
  switch (operation.op) {
    case 'set':
      return await repl.setVariable(operation.name, operation.value);
    case 'snapshot':
      await repl.snapshot(operation.name);
      return;
    case 'rollback':
      return await repl.rollback(operation.name);
    case 'delete-snapshot':
      return await repl.deleteSnapshot(operation.name);
  }
}

/** Milliseconds. An interrupt that comes before a cell has well begun kills its REPL, and takes back what the cell did. */
const SHORTEST_MS = 100;

type CommandResult = Pick<CellResult | BashResult, 'restarted'>;

interface RedoCommand extends Replaying {
  readonly kind: 'cell' | 'bash';
  readonly source: string;
  readonly perform: (options: ExecuteOptions) => Promise<CommandOutcome<CommandResult>>;
}

/** A command again: as far as it came when it was cut, and not at all where the REPL had to be restarted for it. */
async function redoCommand(session: LiveSession, { end }: LoggedOperation, command: RedoCommand): Promise<void> {
  const { commands, log } = session.parts;
  const { divergences } = command;
  if (end?.restarted === true) return commands.leaveOut(command.kind, command.source, end);
  const id = commands.nextId;
  divergences.at(id);
  const timed = end?.cut === true ? { timeoutMs: Math.max(SHORTEST_MS, Math.ceil(end.durationMs)) } : {};
  const done = await command.perform(timed);
  // It was under way when its process died: now it has an end.
  if (end === undefined) return await log.ended(done.end);
  commands.tookAtFirst(end.durationMs);
  const lost = done.result.restarted?.lost;
  const differences = differencesOf(end, { ...done, ...(lost !== undefined && { lost }) });
  if (differences.length > 0) divergences.command(id, `Replaying ${id}: ${differences.join('; ')}.`);
}

function policyOf(models: RecordedModels, run: Run): Promise<ModelPolicy> {
  const { resolveModel, defaults } = run.engine;
  return recordedPolicy(models, { own: run.models, resolveModel, allowedModels: defaults.allowedModels });
}

/**
 * A completion's cells on the session's REPL, as far as they are recorded: its journal refuses everything else, so the
 * replay ends where the record ends.
 */
async function redoCompletion(session: LiveSession, operation: CompletionOperation, options: Replaying): Promise<void> {
  const { store, clock, run, divergences } = options;
  const { runId } = operation;
  divergences.at(runId);
  const record = await store.runs.get(runId);
  // It ended before it had a record, and so before its first cell.
  if (record === undefined) return;
  const { engine } = run;
  const { request } = record;
  const { root: journal, recovered } = await openJournal({ journalId: runId, store, clock, unrecorded: 'refuse' });
  // Its events were shown when they happened; a difference from them is news.
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'journal.diverged') divergences.command(event.commandId, event.message);
  };
  const replay = openRun({
    engine,
    id: runId,
    journal,
    signal: undefined,
    sessionId: session.id,
    events: engine.openEvents({ runId, traceId: runId, onlyTo: onEvent }),
    // It has as much time as the run had.
    recovered: { ...recovered, elapsedMs: 0 },
    request: {
      query: request.query,
      limits: recordedLimits(request.limits),
      tools: replayedTools(operation.tools ?? options.tools),
      ...defined({
        context: await loadStored(request.contexts, { store, ...options.contexts.access(runId) }),
        seed: await loadStoredSeeds(request.seed, { store, ...options.contexts.ofSeeds }),
        attachments: await loadStoredAttachments(request.attachments, { store, ...options.contexts.ofSeeds }),
        output: isObject(request.output) ? jsonSchema(request.output) : undefined,
        prompt: request.prompt,
        requireInspection: request.requireInspection,
        modelSettings: request.modelSettings as ModelSettings | undefined,
      }),
    },
  });
  const { workspace } = session.parts;
  const { history } = workspace;
  const before = history.queries;
  const models = await policyOf(request, run);
  const end = await executeRun(replay, { workspace, models }).catch(asCompletionError);
  const result = end instanceof CompletionError ? end.result : end;
  session.addUsage(result.usage);
  const difference = differenceOf(record, end);
  if (difference !== undefined) divergences.command(runId, `Replaying ${runId}: ${difference}.`);
  if (record.status === 'running' || record.status === 'interrupted')
    await abortRun(runId, { store, clock, reason: 'its process died, and its session continued without it' });
  // As its record says: a replay ends where the record ends.
  const ended = await store.runs.get(runId);
  if (ended?.result !== undefined && history.queries > before) history.addEnd(ended.result);
}

function asCompletionError(error: unknown): CompletionError {
  if (error instanceof CompletionError) return error;
  throw error;
}

/** How the replay of a completion ended otherwise than its record says. */
function differenceOf(
  { status, result }: RunRecord,
  end: CompletionResult<unknown> | CompletionError,
): string | undefined {
  if (end instanceof CompletionError) {
    if (status === 'completed') return `it did not reach its recorded end: ${end.message.replace(/\.$/, '')}`;
    // A replay asks no model: it ends where the record of an unfinished run ends.
    return RECORD_ENDS.has(end.code) ? undefined : end.message.replace(/\.$/, '');
  }
  if (status !== 'completed' || result === undefined || result.text === end.text) return undefined;
  return 'it gave another answer';
}

/** Codes of a replay that reached the end of the record. */
const RECORD_ENDS: ReadonlySet<string> = new Set([notRecorded().code]);

type CompletionOperation = Extract<SessionOperation, { readonly op: 'completion' }>;
