import { invalidOption, isObject } from '../argument-checks.ts';
import type { RunFigures } from '../resume/run-logs.ts';
import type { RunDocument } from './run-document.ts';
import type { CallNode, CommandNode, RunNode, TurnNode } from './run-node.ts';

type Line = Readonly<Record<string, unknown>>;

/** Characters of one variable. */
const VARIABLE_CHARS = 200;

/**
 * A log of the reference implementation (alexzhang13/rlm) as a run. It knows neither events nor outcomes, and no times of
 * calls but their lengths: calls of a block are placed one after the other.
 *
 * @throws RlmError `invalid-option` where no line is an iteration
 */
export function referenceDocument(lines: readonly Line[], name: string): RunDocument {
  const metadata = lines.find(({ type }) => type === 'metadata') ?? {};
  const iterations = lines.filter(({ type }) => type !== 'metadata');
  if (!iterations.some(({ code_blocks }) => Array.isArray(code_blocks))) {
    throw invalidOption(`${name} has no iteration: it is not a log of the reference implementation`);
  }
  const tree = runOf({ metadata, iterations, runId: 'log', depth: 0, query: undefined });
  const answer = iterations.map(({ final_answer }) => textOf(final_answer)).findLast((text) => text !== '');
  const elapsedMs = tree.end?.elapsedMs ?? 0;
  return {
    ...{ format: 'fathom-run', version: 1, origin: 'reference' },
    facts: {
      id: tree.runId,
      status: 'completed',
      ...(answer === undefined ? { outcome: null, stop: null } : { outcome: 'converged', stop: 'final' }),
      ...{ createdAt: tree.startedAt, updatedAt: new Date(Date.parse(tree.startedAt) + elapsedMs).toISOString() },
      ...{ turns: tree.turns.length, subCalls: tree.figures.subCalls, elapsedMs },
      ...{ inputTokens: tree.figures.inputTokens, outputTokens: tree.figures.outputTokens },
      ...{ costUsd: tree.figures.costUsd, model: tree.rootModel, query: tree.query },
    },
    text: answer ?? null,
    subModels: Array.isArray(metadata.other_backends) ? metadata.other_backends.map(String) : [],
    limits: {},
    tree,
  };
}

interface LoggedRun {
  readonly metadata: Line;
  readonly iterations: readonly Line[];
  readonly runId: string;
  readonly depth: number;
  /** Of a child: the prompt of its call. */
  readonly query: string | undefined;
}

function runOf({ metadata, iterations, runId, depth, query }: LoggedRun): RunNode {
  const startedAt = timeOf(metadata.timestamp ?? iterations[0]?.timestamp);
  let at = Date.parse(startedAt);
  const model = textOf(metadata.root_model);
  const turns = iterations.map((iteration, index) => {
    const turn = turnOf({ iteration, next: iterations[index + 1], number: index + 1, at, runId, depth, model });
    at += turn.durationMs ?? 0;
    return turn;
  });
  const answer = iterations.map(({ final_answer }) => textOf(final_answer)).findLast((text) => text !== '');
  const ended = answer === undefined ? { outcome: 'ended', stop: '' } : { outcome: 'converged', stop: 'final' };
  return {
    ...{ runId, depth, rootModel: model, subCallModel: '', backend: textOf(metadata.environment_type) },
    ...{ query: query ?? questionOf(iterations[0]), isolation: '', contexts: [], startedAt, turns },
    end: {
      ...ended,
      elapsedMs: at - Date.parse(startedAt),
      time: isoOf(at),
      ...(answer !== undefined && { text: answer }),
    },
    ...{ figures: figuresOf(turns), pending: null, besides: [], notices: [] },
  };
}

interface LoggedTurn {
  readonly iteration: Line;
  readonly next: Line | undefined;
  readonly number: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly runId: string;
  readonly depth: number;
  readonly model: string;
}

function turnOf({ iteration, next, number, at, runId, depth, model }: LoggedTurn): TurnNode {
  const blocks = listOf(iteration.code_blocks);
  const running = blocks.reduce((sum, { result }) => sum + msOf(objectOf(result).execution_time), 0);
  const durationMs = msOf(iteration.iteration_time) || running;
  let begin = at + Math.max(0, durationMs - running);
  const commands = blocks.map((block, index) => {
    const id = `t${number}.${index}`;
    const command = commandOf({ block, id, at: begin, runId, depth });
    begin += command.durationMs ?? 0;
    return command;
  });
  const feedback = messagesOf(next).at(-1);
  const variables = variablesOf(blocks.at(-1));
  return {
    ...{ number, startedAt: isoOf(at), model, reply: textOf(iteration.response), finishReason: '' },
    ...{ modelMs: Math.max(0, durationMs - running), durationMs, rejected: [], commands },
    usage: { inputTokens: 0, outputTokens: 0, costUsd: null, attempts: 1 },
    feedback: feedback?.role === 'user' ? feedback.content : '',
    ...(variables !== '' && { variables }),
  };
}

interface LoggedBlock {
  readonly block: Line;
  readonly id: string;
  readonly at: number;
  readonly runId: string;
  readonly depth: number;
}

function commandOf({ block, id, at, runId, depth }: LoggedBlock): CommandNode {
  const result = objectOf(block.result);
  const [stdout, stderr] = [textOf(result.stdout), textOf(result.stderr)];
  const [error] = /^\w*(?:Error|Exception)\b.*$/m.exec(stderr) ?? [];
  let begin = at;
  const served = listOf(result.rlm_calls).map((call, index) => {
    const one = callOf(call, { at: begin, childId: `${runId}-${id}-${index}`, depth: depth + 1 });
    begin += one.call.durationMs ?? 0;
    return one;
  });
  const calls = served.map(({ call }) => call);
  return {
    ...{ id, command: { type: 'cell', code: textOf(block.code) }, startedAt: isoOf(at) },
    ...{ ok: error === undefined, durationMs: msOf(result.execution_time), timedOut: false },
    ...{ shown: [stdout, stderr].filter((text) => text !== '').join('\n'), stdout, stderr },
    ...(error !== undefined && { error: { type: error.split(':')[0] ?? 'Error', message: error } }),
    ...{ subCalls: calls.length, failedSubCalls: calls.filter(({ ok }) => ok === false).length, calls },
    children: served.flatMap(({ child }) => (child === undefined ? [] : [child])),
  };
}

interface CallLocation {
  readonly at: number;
  readonly childId: string;
  readonly depth: number;
}

function callOf(
  logged: Line,
  { at, childId, depth }: CallLocation,
): { readonly call: CallNode; readonly child: RunNode | undefined } {
  const prompt = textOf(logged.prompt);
  const model = textOf(logged.root_model);
  const usage = objectOf(logged.usage_summary);
  const models = Object.values(objectOf(usage.model_usage_summaries)).map(objectOf);
  const sum = (field: string): number => models.reduce((total, each) => total + numberOf(each[field]), 0);
  const nested = isObject(logged.metadata) ? logged.metadata : undefined;
  const iterations = listOf(nested?.iterations);
  const metadata = objectOf(nested?.run_metadata);
  const child =
    iterations.length === 0 ? undefined : runOf({ metadata, iterations, runId: childId, depth, query: prompt });
  const error = textOf(logged.error);
  const call: CallNode = {
    ...{ kind: child === undefined ? 'llm' : 'rlm', model, startedAt: isoOf(at), attempts: 1 },
    messages: [{ role: 'user', content: prompt }],
    ...{ ok: error === '', reply: textOf(logged.response), durationMs: msOf(logged.execution_time) },
    ...(error !== '' && { error: { code: 'failed', message: error } }),
    inputTokens: sum('total_input_tokens') || numberOf(logged.prompt_tokens),
    outputTokens: sum('total_output_tokens') || numberOf(logged.completion_tokens),
    costUsd: typeof usage.total_cost === 'number' ? usage.total_cost : null,
    ...(child !== undefined && { childRunId: childId }),
  };
  return { call, child };
}

function figuresOf(turns: readonly TurnNode[]): RunFigures {
  const calls = turns.flatMap(({ commands }) => commands.flatMap((command) => command.calls));
  const children = turns.flatMap(({ commands }) => commands.flatMap((command) => command.children));
  const sum = (field: 'inputTokens' | 'outputTokens'): number => calls.reduce((total, call) => total + call[field], 0);
  return {
    ...{ turns: turns.length, calls: turns.length + calls.length, costUsd: null },
    subCalls: calls.length + children.reduce((total, { figures }) => total + figures.subCalls, 0),
    ...{ inputTokens: sum('inputTokens'), outputTokens: sum('outputTokens') },
  };
}

/** The text after `original query:`, as the reference's own viewer shows it; else the first message of the user. */
function questionOf(iteration: Line | undefined): string {
  const texts = messagesOf(iteration).filter(({ role }) => role === 'user');
  for (const { content } of texts) {
    const [, query] = /original query: "([\s\S]*?)"(?:\n|$|\.)/.exec(content) ?? [];
    if (query !== undefined) return query;
  }
  return texts[0]?.content ?? '';
}

function messagesOf(iteration: Line | undefined): readonly { readonly role: string; readonly content: string }[] {
  return listOf(iteration?.prompt).map(({ role, content }) => ({ role: textOf(role), content: textOf(content) }));
}

function variablesOf(block: Line | undefined): string {
  const locals = Object.entries(objectOf(objectOf(block?.result).locals));
  return locals.map(([name, value]) => `${name} = ${textOf(value).slice(0, VARIABLE_CHARS).toWellFormed()}`).join('\n');
}

function listOf(value: unknown): readonly Line[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function objectOf(value: unknown): Line {
  return isObject(value) ? value : {};
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}

/** Their times are seconds. */
function msOf(value: unknown): number {
  return Math.min(numberOf(value) * 1_000, Number.MAX_SAFE_INTEGER / 1_000);
}

function timeOf(value: unknown): string {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return isoOf(Number.isNaN(time) ? 0 : time);
}

/** Lengths of a hostile log may lead beyond the dates there are. */
function isoOf(ms: number): string {
  return new Date(Math.min(Math.max(ms, 0), 8.64e15)).toISOString();
}
