import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { invalidOption } from '../argument-checks.ts';
import type { ContextInput } from '../context/index.ts';
import { newestRuns } from '../door/newest-runs.ts';
import { readablePaths } from '../door/paths.ts';
import { CompletionError, type CompletionResult, type Unfinished } from '../engine/result.ts';
import { RlmError } from '../errors.ts';
import type { ClientRun } from './client-run.ts';
import { maySee, ownerOf } from './client-runs.ts';
import { useHandle } from './handles.ts';
import { LISTED_RUNS, MAX_PATHS, MAX_QUESTION_CHARS, MAX_WAIT_SECONDS, START_WAIT_MS } from './limits.ts';
import { ANSWER, activeFacts, answerOutput, endFacts, RUN_FACTS, recordFacts } from './run-output.ts';
import { reporting, type Tool, type ToolCall, type ToolOutput, tool } from './tool.ts';

type DataShape = {
  readonly paths: z.ZodOptional<z.ZodArray<z.ZodString>>;
  readonly text: z.ZodOptional<z.ZodString>;
};

/** Where the data of a call is. */
export const DATA: DataShape = {
  paths: z
    .array(z.string().min(1))
    .min(1)
    .max(MAX_PATHS)
    .optional()
    .describe('files, folders or glob patterns; do not read them yourself'),
  text: z.string().optional().describe('the data itself, if it is not in files'),
};

const QUESTION = {
  question: z
    .string()
    .trim()
    .min(1)
    .max(MAX_QUESTION_CHARS)
    .describe('what to find out, with everything needed to do it'),
  ...DATA,
  handle: z.string().optional().describe('a handle of load, instead of paths or text'),
};

type Question = z.infer<z.ZodObject<typeof QUESTION>>;

const ASKS = { readOnlyHint: true, destructiveHint: false, openWorldHint: true } as const;

const ask = tool({
  name: 'ask',
  title: 'Ask about large data',
  description:
    'Answers a question about files, folders or text of any size, also far beyond your context window. Another model reads the data ' +
    'with Python in a sandbox and asks further models about parts of it, so the data does not enter your context. Use it to search, count, ' +
    'compare or summarize many or large files. For one small file, read it yourself. It takes seconds to minutes and costs ' +
    'money. If your call times out, the run continues: call ask again with the same arguments, or use status and result.',
  input: QUESTION,
  output: ANSWER,
  annotations: { ...ASKS, idempotentHint: false },
  call: async (question, call) => await answerOf(await begin(question, call, false), call),
});

const start = tool({
  name: 'start',
  title: 'Start a question',
  description: 'Like ask, but returns a run_id at once and does not wait. Then use status and result.',
  input: QUESTION,
  output: RUN_FACTS,
  annotations: { ...ASKS, idempotentHint: false },
  call: async (question, call) => {
    const run = await begin(question, call, true);
    await storedSoon(run);
    return {
      text: `Run ${run.id} has started. result {"run_id": "${run.id}"} has its answer.`,
      data: activeFacts(run),
    };
  },
});

const status = tool({
  name: 'status',
  title: 'Progress of runs',
  description: 'How far a run of ask or start is. Without run_id: your latest runs, and how busy the server is.',
  input: { run_id: z.string().optional() },
  output: {
    runs: z.array(z.object(RUN_FACTS)),
    server: z.object({
      runs: z.number().describe('runs of all clients'),
      repls: z.number().describe('Python processes in use'),
      max_repls: z.number(),
      queued: z.number().describe('runs that wait for one'),
      max_queued: z.number(),
    }),
  },
  annotations: { readOnlyHint: true, openWorldHint: false },
  call: async ({ run_id }, call) => {
    const runs = run_id === undefined ? await listRuns(call) : [await factsOf(run_id, call)];
    const figures = call.config.rlm.status();
    const server = {
      runs: figures.runs,
      repls: figures.repls,
      max_repls: figures.maxRepls,
      queued: figures.queued,
      max_queued: figures.maxQueuedRuns,
    };
    const lines = runs.map((run) => JSON.stringify(run));
    return { text: [...lines, `server: ${JSON.stringify(server)}`].join('\n'), data: { runs, server } };
  },
});

const result = tool({
  name: 'result',
  title: 'Answer of a run',
  description:
    'The answer of a run, or where the run is if it has not ended. A long answer has pages. stop ends a run: finish asks it ' +
    'for its best answer now, cancel stops it.',
  input: {
    run_id: z.string(),
    page: z.int().min(1).optional().describe('of a long answer, from 1'),
    wait_seconds: z.number().min(0).max(MAX_WAIT_SECONDS).optional().describe('wait so long for its end; default 25'),
    stop: z.enum(['finish', 'cancel']).optional(),
  },
  output: ANSWER,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  call: async ({ run_id, page, wait_seconds = 25, stop }, call) => {
    const run = call.runs.active(run_id, call.client);
    if (run !== undefined && stop !== undefined) run.stop(stop, 'the client asked for it');
    if (run !== undefined) {
      const ended = await endWithin(run, wait_seconds, call);
      if (ended !== undefined)
        return answerOutput({ ...(await endedFacts(ended, call)), page, limits: call.config.limits });
      const facts = activeFacts(run);
      return { text: `The run has not ended. ${JSON.stringify(facts)}`, data: facts };
    }
    const record = await call.runs.record(run_id, call.client);
    const facts = recordFacts(record);
    if (record.result === undefined) return { text: JSON.stringify(facts), data: facts };
    return answerOutput({ facts, text: record.result.text, page, limits: call.config.limits });
  },
});

/** Tools that ask questions. */
export const ASK_TOOLS: readonly Tool[] = [ask, start, status, result];

/** Starts the run of a question, or joins the one that answers it already. */
async function begin({ question, paths, text, handle }: Question, call: ToolCall, kept: boolean): Promise<ClientRun> {
  const { config, runs, client } = call;
  const given = [paths, text, handle].filter((one) => one !== undefined).length;
  if (given !== 1) {
    throw invalidOption(`A question needs its data: give one of paths, text or handle; this has ${given} of them`);
  }
  // Relative paths start at the first folder.
  const where = paths === undefined ? null : (config.readable?.folders ?? null);
  const asked = { client, question, data: [paths ?? null, text ?? null, handle ?? null, where], kept };
  if (handle !== undefined) {
    const session = await useHandle(handle, call);
    return runs.ask({
      ...asked,
      open: () => session.completion({ query: question, owner: ownerOf(client, false) }),
    });
  }
  const context = dataOf({ paths, text }, call);
  return runs.ask({
    ...asked,
    open: () => config.rlm.completion({ query: question, context, mode: config.mode, owner: ownerOf(client, true) }),
  });
}

/** @throws RlmError `context-invalid` where this server reads no paths */
export function dataOf(
  { paths, text }: { readonly paths: readonly string[] | undefined; readonly text: string | undefined },
  { config }: ToolCall,
): Exclude<ContextInput, null> {
  if (text !== undefined) return text;
  if (config.readable !== undefined) return readablePaths(paths ?? [], config.readable);
  throw new RlmError({
    code: 'context-invalid',
    message: 'This server reads no paths: send the text itself, or start the server with --root FOLDER.',
    userAction: true,
    data: { param: 'paths' },
  });
}

/** A store that is slow does not hold the answer of `start` back. */
async function storedSoon({ stored }: ClientRun): Promise<void> {
  const late = new AbortController();
  const patience = delay(START_WAIT_MS, undefined, { signal: late.signal }).catch(() => undefined);
  await Promise.race([stored, patience]);
  late.abort();
}

async function answerOf(run: ClientRun, call: ToolCall): Promise<ToolOutput> {
  const { limits } = call.config;
  const message = (): string => `run ${run.id}: ${positionWords(run)}`;
  call.progress(message());
  using _ = run.listen(() => call.progress(message()));
  const ended = await reporting(call, message, () => run.wait(call.signal, isWish));
  return answerOutput({ ...endFacts(ended), page: undefined, limits });
}

function positionWords({ position: { turn, maxTurns, status: doing }, startedAt }: ClientRun): string {
  const seconds = Math.round((Date.now() - startedAt) / 1_000);
  return turn === 0 ? `${doing}, ${seconds} s` : `turn ${turn} of ${maxTurns}, ${doing}, ${seconds} s`;
}

/** A cancelled call is a wish to stop the run, unless its client timed out or its connection is lost. */
function isWish(reason: unknown): boolean {
  const words = reason instanceof Error ? `${reason.name} ${reason.message}` : String(reason ?? '');
  return !/time(?:d)?[ -]?out|connection|disconnect|closed/i.test(words);
}

/** The end of a run within so many seconds, also of one that failed; undefined if it has not ended. */
async function endWithin(
  run: ClientRun,
  seconds: number,
  call: ToolCall,
): Promise<CompletionResult<unknown> | Unfinished | undefined> {
  run.touch();
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(Math.ceil(seconds * 1_000))]);
  const message = (): string => `run ${run.id}: ${positionWords(run)}`;
  try {
    return await reporting(call, message, () => run.wait(signal, () => false));
  } catch (error) {
    if (CompletionError.isInstance(error)) return error.result;
    call.signal.throwIfAborted();
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** The outcome of a run that the server paused is `aborted`: only its record says that it can be resumed. */
async function endedFacts(
  ended: CompletionResult<unknown> | Unfinished,
  { config }: ToolCall,
): Promise<ReturnType<typeof endFacts>> {
  const { facts, text } = endFacts(ended);
  const record = ended.outcome === 'aborted' ? await config.store.runs.get(ended.runId) : undefined;
  return { facts: record === undefined ? facts : { ...facts, status: record.status }, text };
}

async function factsOf(id: string, { runs, client }: ToolCall): Promise<Readonly<Record<string, unknown>>> {
  const run = runs.active(id, client);
  run?.touch();
  return run === undefined || run.ended ? recordFacts(await runs.record(id, client)) : activeFacts(run);
}

async function listRuns({ config, runs, client }: ToolCall): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const active = runs.ofClient(client);
  const shown = new Set(active.map(({ id }) => id));
  const ended = await newestRuns(config.store, {
    count: LISTED_RUNS,
    mine: ({ id, owner }) => !shown.has(id) && maySee(client, owner),
  });
  return [...active.map(activeFacts), ...ended.map(recordFacts)].slice(0, LISTED_RUNS);
}
