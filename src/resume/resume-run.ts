import { isDeepStrictEqual } from 'node:util';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { invalidOption, isStandardSchema } from '../argument-checks.ts';
import type { Clock } from '../clock.ts';
import { defined } from '../defined.ts';
import type { EngineDefaults, RunRequest } from '../engine/run.ts';
import { RlmError } from '../errors.ts';
import { type ReopenedLog, reopenLog } from '../event/reopen.ts';
import { type Journal, openJournal } from '../journal/index.ts';
import { recordedLimits } from '../limits.ts';
import type { Model, ModelRef } from '../model/index.ts';
import type { ModelSettings } from '../model/model-settings.ts';
import { jsonSchemaOf } from '../schema/json-schema.ts';
import { jsonSchema } from '../schema/json-schema-answer.ts';
import { RESUMABLE, type RunRecord, type RunStatus, type Store } from '../store/index.ts';
import type { ResolveFile } from './file-reference.ts';
import { type RecordedModels, recordedReference } from './recorded-models.ts';
import { claim, unclaim } from './run-store.ts';
import { loadStored, loadStoredAttachments, loadStoredSeeds } from './stored-context.ts';

/** An interrupted run, ready to continue. */
export interface Interrupted {
  readonly request: RunRequest;
  readonly journal: Journal;
  readonly log: ReopenedLog;
  readonly backend: string;
  /** It was submitted, and has not begun. */
  readonly queued?: true;
}

export interface ResumeOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly defaults: EngineDefaults;
  readonly resolveModel: (ref: ModelRef) => Promise<Model>;
  /** The caller's schema of the answer. */
  readonly output: StandardSchemaV1 | undefined;
  readonly resolveFile: ResolveFile | undefined;
}

/**
 * Reads an interrupted or paused run from the store: its request, the journal to replay, and the end of its event log.
 *
 * @throws RlmError `run-not-found`; `run-locked` when another process works on it; `invalid-option` when it has ended or
 *   needs tools that are missing; the errors of its context
 */
export async function readInterrupted(runId: string, options: ResumeOptions): Promise<Interrupted> {
  if (!(await claim(runId, options.store))) throw notResumable(runId, 'running');
  try {
    return await read(runId, options);
  } catch (error) {
    unclaim(runId, options.store);
    throw error;
  }
}

async function read(runId: string, options: ResumeOptions): Promise<Interrupted> {
  const { store, clock, defaults, resolveFile } = options;
  const record = await store.runs.get(runId);
  if (record === undefined) throw notFound(runId, store);
  // This process owns the run: a run recorded as running belonged to a process that ended.
  const status = record.status === 'running' ? 'interrupted' : record.status;
  if (!RESUMABLE.has(status)) throw notResumable(runId, status);
  if (record.sessionId !== undefined) throw inSession(record.sessionId, runId);
  checkTools(record, defaults);
  const { request } = record;
  const { model, subModel } = await modelsOf(request, options);
  const context = await loadStored(request.contexts, { store, resolveFile });
  const journal = await openJournal({ journalId: runId, store, clock });
  return {
    request: {
      query: request.query,
      limits: recordedLimits(request.limits),
      model,
      ...defined({
        context,
        seed: await loadStoredSeeds(request.seed, { store, resolveFile }),
        attachments: await loadStoredAttachments(request.attachments, { store, resolveFile }),
        output: outputOf(record, options.output),
        prompt: request.prompt,
        route: request.route,
        evidence: request.evidence,
        requireInspection: request.requireInspection,
        modelSettings: request.modelSettings as ModelSettings | undefined,
        subModel,
      }),
    },
    journal,
    log: await reopenLog(store.events, runId),
    backend: request.backend,
    ...(status === 'queued' && { queued: true as const }),
  };
}

/** The run's models; this Rlm's own where it has them, because they may be objects that no string can name. */
async function modelsOf(
  recorded: RecordedModels,
  { defaults, resolveModel }: ResumeOptions,
): Promise<{ readonly model: ModelRef; readonly subModel: readonly ModelRef[] | undefined }> {
  const { model, subModel = [] } = defaults;
  const subs = Array.isArray(subModel) ? (subModel as readonly ModelRef[]) : [subModel as ModelRef];
  const find = (id: string, own: readonly ModelRef[]): Promise<ModelRef> =>
    recordedReference(id, recorded, { own, resolveModel });
  const [root, ...below] = await Promise.all([
    find(recorded.rootModel, [model]),
    ...recorded.subModels.map((id) => find(id, [...subs, model])),
  ]);
  return { model: root, subModel: below.length === 0 ? undefined : below };
}

/** The schema that the model was shown is part of what is recorded: with another one the run would not be the same. */
function outputOf({ id, request }: RunRecord, given: StandardSchemaV1 | undefined): StandardSchemaV1 | undefined {
  const recorded = request.output ?? undefined;
  if (given === undefined)
    return recorded === undefined ? undefined : jsonSchema(recorded as Readonly<Record<string, unknown>>);
  if (!isStandardSchema(given)) throw invalidOption('The option output of resume has to be a Standard Schema');
  if (request.output === undefined || !isDeepStrictEqual(jsonSchemaOf(given) ?? null, request.output))
    throw invalidOption(`The option output is not the schema that run ${id} was started with`);
  return given;
}

function checkTools({ id, request }: RunRecord, { tools }: EngineDefaults): void {
  const missing = request.tools.filter((name) => !Object.hasOwn(tools, name));
  if (missing.length === 0) return;
  throw new RlmError({
    code: 'invalid-option',
    message: `Run ${id} uses the tools ${missing.join(', ')}: create the Rlm with them to resume it.`,
    userAction: true,
    data: { tools: missing },
  });
}

function notFound(runId: string, store: Store): RlmError {
  return new RlmError({
    code: 'run-not-found',
    message: `There is no run ${runId} in the store (${store.location}): list what there is with \`fathom runs\`.`,
    userAction: true,
    data: { runId },
  });
}

/** The run's cells worked on variables of its session, which a new REPL would not have. */
function inSession(sessionId: string, runId: string): RlmError {
  return new RlmError({
    code: 'invalid-option',
    message: `Run ${runId} belongs to session ${sessionId}: open the session, which restores its variables, and ask again there.`,
    userAction: true,
    data: { runId, sessionId },
  });
}

function notResumable(id: string, status: RunStatus): RlmError {
  const why = status === 'running' ? 'it is running' : `it has ended (${status})`;
  return new RlmError({
    code: 'invalid-option',
    message: `Run ${id} cannot be resumed: ${why}.`,
    userAction: true,
    data: { runId: id, status },
  });
}
