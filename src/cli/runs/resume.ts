import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { RunEvent } from '../../event/event.ts';
import type { IsolationLevel } from '../../repl/port.ts';
import type { ReplChoice } from '../../repl/select.ts';
import { referenceOf } from '../../resume/recorded-models.ts';
import { figuresOf, readRunLogs } from '../../resume/run-logs.ts';
import { createRlm } from '../../rlm.ts';
import type { RlmOptions } from '../../rlm-options.ts';
import { digitKeepingSchema } from '../../schema/json-schema-answer.ts';
import type { RunRecord, Store } from '../../store/index.ts';
import { checkAnswerFormat } from '../answer/answer-format.ts';
import { sweepInput } from '../context/spooled-input.ts';
import type { OutputOptions, ProgressOptions } from '../options/ask-options.ts';
import { applyConfig } from '../options/config.ts';
import { runIdOf } from '../options/ids.ts';
import { type ServerOptions, serverFacts } from '../options/models.ts';
import { openToWrite, runNotFound, type StoreOptions, storeArgument } from '../options/store.ts';
import type { Console } from '../screen/console.ts';
import { compact, counted } from '../screen/figures.ts';
import { type Answered, type Stage, showRun, type WatchInterrupts } from '../watch/show-run.ts';

/** The options of `fathom resume`. */
export interface ResumeOptions extends ProgressOptions, StoreOptions, OutputOptions, ServerOptions {
  /** Default: what the run had. */
  readonly isolation?: IsolationLevel;
}

/** One `fathom resume`. */
export interface Resume {
  readonly id: string;
  readonly options: ResumeOptions;
  readonly console: Console;
  readonly interrupts: WatchInterrupts;
}

/** Continues a run that was interrupted or paused, and shows it as `fathom ask` does. Resolves with the exit code. */
export async function resume({ id: given, options, console, interrupts }: Resume): Promise<number> {
  return await showRun({
    options,
    console,
    interrupts,
    onward: (runId) => `fathom resume ${runId}${storeArgument(options.store)}`,
    run: async (stage) => {
      await using watching = await stage.watch();
      await using keeping = openToWrite(options.store);
      const { store } = keeping;
      const id = await runIdOf(given, store, ['interrupted', 'paused']);
      const record = await store.runs.get(id);
      if (record === undefined) throw runNotFound(id, store);
      stage.view.goOnFrom(figuresOf(await readRunLogs(store, id)));
      const onEvent = (event: RunEvent): void => {
        if (event.type === 'run.resumed' && event.runId === id) stage.view.note(resumedLine(event));
        watching.onEvent(event);
      };
      const isolation = options.isolation ?? (await isolationOf(record, store));
      const facts = serverFacts(
        referenceOf(record.request.rootModel, record.request),
        options,
        applyConfig(console.env),
      );
      const output = outputOf(record);
      checkAnswerFormat(options, output);
      const made = { ...optionsFor(record), ...facts, store, isolation, onEvent };
      const answered = await goOn(made, { id, output }, stage);
      await sweepInput(store);
      return answered;
    },
  });
}

/** The recorded schema of the answer. */
function outputOf({ request }: RunRecord): StandardSchemaV1 | undefined {
  const recorded = request.output ?? undefined;
  if (recorded === undefined) return undefined;
  return digitKeepingSchema(recorded as Readonly<Record<string, unknown>>, 'recorded schema');
}

interface Resumed {
  readonly id: string;
  readonly output: StandardSchemaV1 | undefined;
}

async function goOn(options: RlmOptions, { id, output }: Resumed, { interrupts }: Stage): Promise<Answered> {
  await using rlm = createRlm(options);
  const run = rlm.resume(id, { signal: interrupts.signal, ...(output !== undefined && { output }) });
  interrupts.attach(run);
  return { result: await run, schema: output };
}

/** An `Rlm` like the one that began the run. */
function optionsFor({ request }: RunRecord): RlmOptions {
  const { prompt, requireInspection, backend, subModels } = request;
  return {
    model: referenceOf(request.rootModel, request),
    ...(subModels.length > 0 && { subModel: subModels.map((id) => referenceOf(id, request)) }),
    repl: backend as ReplChoice,
    ...(prompt !== undefined && { prompt }),
    ...(requireInspection !== undefined && { requireInspection }),
  };
}

/** A resumed run keeps at least its recorded isolation. */
async function isolationOf({ id }: RunRecord, store: Store): Promise<IsolationLevel> {
  const events = await store.events.read(id);
  const started = events.find((event) => event.type === 'run.started');
  return started === undefined ? 'process' : (started.isolation as IsolationLevel);
}

function resumedLine({
  recordedSteps,
  possiblyBilled,
}: {
  readonly recordedSteps: number;
  readonly possiblyBilled: number;
}): string {
  const again =
    possiblyBilled === 0
      ? ''
      : `; ${counted(possiblyBilled, 'call')} in flight then may have been billed and ${possiblyBilled === 1 ? 'is' : 'are'} sent again`;
  return `Resuming: ${compact(recordedSteps)} recorded ${recordedSteps === 1 ? 'result is' : 'results are'} not paid again${again}.`;
}
