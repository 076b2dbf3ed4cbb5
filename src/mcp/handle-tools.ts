import { z } from 'zod';
import { invalidOption } from '../argument-checks.ts';
import type { JsonValue, SnapshotInfo, VariableInfo } from '../repl/port.ts';
import type { BashResult, CellResult, Session } from '../session/session.ts';
import { DATA, dataOf } from './ask-tools.ts';
import { ownerOf } from './client-runs.ts';
import { useHandle } from './handles.ts';
import { cut, pageOf } from './pages.ts';
import { reporting, type Tool, type ToolCall, type ToolOutput, tool } from './tool.ts';

const HANDLE = { handle: z.string().describe('from load') };
const NAME = z.string().optional();
const VARIABLE = z.object({
  name: z.string(),
  type: z.string(),
  size: z.number().optional(),
  preview: z.string().optional(),
});
const SNAPSHOT = z.object({ name: z.string(), created_at: z.string(), bytes: z.number() });
const INSIDE = { readOnlyHint: false, destructiveHint: false, openWorldHint: false } as const;

const load = tool({
  name: 'load',
  title: 'Load data into Python',
  description:
    'Loads files or a text into a Python session in a sandbox and returns a handle. The data is the variable `context`. Use it to ask ' +
    'several questions about the same data (ask with handle), or to run your own code on it (exec, bash). The session lives 30 minutes, ' +
    'longer while it is used.',
  input: DATA,
  output: { handle: z.string(), expires_at: z.string(), variables: z.array(VARIABLE) },
  annotations: { ...INSIDE, idempotentHint: false },
  call: async ({ paths, text }, call) => {
    if ((paths === undefined) === (text === undefined)) throw invalidOption('load needs one of paths or text');
    const context = dataOf({ paths, text }, call);
    const open = (): Promise<Session> => call.config.rlm.createSession({ context, owner: ownerOf(call.client, false) });
    const session = await reporting(call, () => 'loading', open);
    const variables = (await session.variables()).map(variableFacts);
    const { expiresAt } = session.status();
    const data = { handle: session.id, expires_at: expiresAt, variables };
    return { text: `Handle ${session.id}, until ${expiresAt}.\n${listed(variables, call)}`, data };
  },
});

const RAN = {
  ok: z.boolean(),
  output: z.string().describe('what it printed, its value or its error; cut where it is long'),
  duration_s: z.number(),
  timed_out: z.boolean(),
};
const TIMEOUT = z.int().min(1).max(3_600).optional().describe('default 120');

const exec = tool({
  name: 'exec',
  title: 'Run Python',
  description:
    'Runs Python in the session of a handle, as a cell of a notebook: variables stay, the data is `context`. llm_query(prompt) asks a ' +
    'model about a piece of it, llm_query_batched(prompts) about many at once; both cost money. Without network and without your files.',
  input: { ...HANDLE, code: z.string().min(1), timeout_seconds: TIMEOUT },
  output: RAN,
  annotations: { ...INSIDE, idempotentHint: false },
  call: ({ handle, code, timeout_seconds }, call) =>
    run(handle, call, (session) => session.execute(code, optionsOf(timeout_seconds, call))),
});

const bash = tool({
  name: 'bash',
  title: 'Run bash',
  description: 'Runs a shell command in the session of a handle. Files of the data are below `context/`, read-only.',
  input: { ...HANDLE, command: z.string().min(1), timeout_seconds: TIMEOUT },
  output: RAN,
  annotations: { ...INSIDE, idempotentHint: false },
  call: ({ handle, command, timeout_seconds }, call) =>
    run(handle, call, (session) => session.bash(command, optionsOf(timeout_seconds, call))),
});

const variables = tool({
  name: 'variables',
  title: 'Python variables',
  description: 'Lists the variables of a handle, gets one as JSON (a long one by page), or sets one to a JSON value.',
  input: {
    ...HANDLE,
    action: z.enum(['list', 'get', 'set']),
    name: NAME,
    value: z.unknown().optional().describe('for set'),
    page: z.int().min(1).optional().describe('for get'),
  },
  output: {
    variables: z.array(VARIABLE).optional(),
    json: z.string().optional().describe('the value as JSON text, or one page of it'),
    page: z.number().optional(),
    pages: z.number().optional(),
  },
  annotations: { ...INSIDE, idempotentHint: true },
  call: async ({ handle, action, name, value, page }, call) => {
    const session = await useHandle(handle, call);
    if (action === 'list') {
      const all = (await session.variables()).map(variableFacts);
      return { text: listed(all, call), data: { variables: all } };
    }
    const known = needed('name', name);
    if (action === 'set') {
      await session.setVariable(known, exactValue(needed('value', value)));
      return { text: `${known} is set.`, data: {} };
    }
    const json = JSON.stringify(await session.getVariable(known));
    const found = pageOf(json, page ?? 1, call.config.limits.pageTokens);
    const more = found.pages === 1 ? '' : `\n[page ${found.page} of ${found.pages}]`;
    return { text: `${found.text}${more}`, data: { json: found.text, page: found.page, pages: found.pages } };
  },
});

const snapshot = tool({
  name: 'snapshot',
  title: 'Snapshots',
  description: 'Saves variables and files of a handle under a name, lists what is saved, or deletes one.',
  input: { ...HANDLE, action: z.enum(['create', 'list', 'delete']), name: NAME },
  output: { snapshots: z.array(SNAPSHOT) },
  annotations: { ...INSIDE, idempotentHint: false },
  call: async ({ handle, action, name }, call) => {
    const session = await useHandle(handle, call);
    if (action === 'create') await session.snapshot(needed('name', name));
    if (action === 'delete') await session.deleteSnapshot(needed('name', name));
    const snapshots = (await session.snapshots()).map(snapshotFacts);
    const lines = snapshots.map((one) => JSON.stringify(one));
    return { text: lines.length === 0 ? 'No snapshot.' : lines.join('\n'), data: { snapshots } };
  },
});

const rollback = tool({
  name: 'rollback',
  title: 'Go back to a snapshot',
  description: 'Puts variables and files of a handle back to a snapshot. Later changes are lost.',
  input: { ...HANDLE, name: z.string() },
  output: { variables: z.array(VARIABLE) },
  annotations: { ...INSIDE, destructiveHint: true, idempotentHint: true },
  call: async ({ handle, name }, call) => {
    const session = await useHandle(handle, call);
    await session.rollback(name);
    const all = (await session.variables()).map(variableFacts);
    return { text: `Back at ${name}.\n${listed(all, call)}`, data: { variables: all } };
  },
});

/** Tools that work with handles. */
export const HANDLE_TOOLS: readonly Tool[] = [load, exec, bash, variables, snapshot, rollback];

function needed<T>(param: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw invalidOption(`This action needs the argument ${param}`);
}

/** @throws RlmError `invalid-option` for an integer that the parser of the message has rounded */
function exactValue(value: unknown): JsonValue {
  const waiting = [value];
  for (let at = 0; at < waiting.length; at += 1) {
    const part = waiting[at];
    if (Number.isInteger(part) && !Number.isSafeInteger(part)) {
      throw invalidOption(
        'The argument value has an integer above 2^53, whose digits JSON loses on its way: set it by exec, or as a string',
      );
    }
    if (typeof part === 'object' && part !== null) waiting.push(...Object.values(part));
  }
  return value as JsonValue;
}

function optionsOf(seconds: number | undefined, { signal }: ToolCall): Parameters<Session['execute']>[1] {
  return { signal, ...(seconds !== undefined && { timeoutMs: seconds * 1_000 }) };
}

async function run(
  handle: string,
  call: ToolCall,
  work: (session: Session) => Promise<CellResult | BashResult>,
): Promise<ToolOutput> {
  const session = await useHandle(handle, call);
  const { ok, shown, durationMs, timedOut } = await reporting(
    call,
    () => 'running',
    () => work(session),
  );
  const output = cut(shown, call.config.limits.pageTokens, 'print less of it');
  const duration = Math.round(durationMs / 10) / 100;
  return { text: output, data: { ok, output, duration_s: duration, timed_out: timedOut } };
}

function variableFacts({ name, type, size, preview }: VariableInfo): z.infer<typeof VARIABLE> {
  return { name, type, ...(size !== undefined && { size }), ...(preview !== undefined && { preview }) };
}

function snapshotFacts({ name, createdAt, bytes }: SnapshotInfo): z.infer<typeof SNAPSHOT> {
  return { name, created_at: createdAt, bytes };
}

function listed(all: readonly z.infer<typeof VARIABLE>[], { config }: ToolCall): string {
  const lines = all.map((one) => JSON.stringify(one)).join('\n');
  return cut(lines === '' ? 'No variable.' : lines, config.limits.pageTokens, 'get a variable by its name');
}
