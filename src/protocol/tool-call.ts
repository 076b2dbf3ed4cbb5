import type { Command, Outcome } from './command.ts';
import { finalWith } from './prose-answer.ts';
import { blockToSend, excerptOf, reject } from './rejection.ts';

/** A tool call as a model wrote it. No request of Fathom offers tools: the model means one of its own habits. */
export interface WrittenToolCall {
  readonly name: string;
  /** Its arguments: an object, a text, or undefined when they could not be read. */
  readonly input: unknown;
}

/** Names under which models call an interpreter of Python. */
const PYTHON =
  /^(?:(?:functions?|tools?|default_api)[.:])?(?:(?:run|exec|execute|eval)[_-]?)?(?:python3?|py|i?python|jupyter|repl|code|cell|notebook)(?:[_-]?(?:code|cell|repl|exec|execute|execution|executor|interpreter|tool|script|runner|run|block|cell))*$/i;
const ALSO_PYTHON: ReadonlySet<string> = new Set(['exec', 'execute', 'run', 'eval', 'sandbox', 'interpreter']);
const BASH =
  /^(?:(?:functions?|tools?)[.:])?(?:(?:run|exec|execute)[_-]?)?(?:bash|shell|sh|terminal|command)(?:[_-]?(?:command|tool|exec))?$/i;
/** Names of the argument that holds the code. */
const CODE_KEYS: ReadonlySet<string> = new Set([
  'code',
  'source',
  'script',
  'python',
  'cell',
  'program',
  'input',
  'command',
  'cmd',
  'content',
]);

/** The command that a tool call plainly means, or a rejection that says what to write instead. */
export function interpretToolCall(call: WrittenToolCall): Outcome {
  const code = codeOf(call.input);
  if (code !== undefined && code.trim() !== '') {
    if (PYTHON.test(call.name) || ALSO_PYTHON.has(call.name.toLowerCase())) return command({ type: 'cell', code });
    if (BASH.test(call.name)) return command({ type: 'bash', command: code });
  }
  return notATool(call, code);
}

function command(value: Command): Outcome {
  return { kind: 'command', command: value };
}

/** Names of tools that end a task with an answer. */
const ANSWERS =
  /^(?:(?:functions?|tools?)[.:])?(?:final[_-]?answer|final|finish|answer|submit|respond|done)(?:[_-]?(?:answer|result|task))?$/i;
/** A first look at any context, for a call that holds no code to repeat. */
export const FIRST_LOOK = 'print(type(context), len(context))\nprint(str(context)[:1000])';

function notATool({ name, input }: WrittenToolCall, code: string | undefined): Outcome {
  const tool = `this is a call of the tool "${excerptOf(name)}", and there are no tools here`;
  const answer = ANSWERS.test(name) ? answerOf(input) : undefined;
  if (answer !== undefined) return reject('tool-call', name, { problem: tool, send: finalWith(answer) });
  const problem = `${tool}: code runs in blocks`;
  if (code === undefined) return reject('tool-call', name, { problem, send: blockToSend(FIRST_LOOK) });
  const send = blockToSend(code);
  const form = send === undefined ? 'send the same code between a line ```repl and a line ```' : undefined;
  return reject('tool-call', name, { problem, send, ...(form !== undefined && { form }) });
}

/** The one value that a call of an answering tool gives. */
function answerOf(input: unknown): string | undefined {
  const given = typeof input === 'string' ? (parseJson(input) ?? input) : input;
  const values = typeof given === 'object' && given !== null && !Array.isArray(given) ? Object.values(given) : [given];
  const [value] = values;
  if (values.length !== 1 || value === undefined || value === null || value === '') return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The one text among a call's arguments that is its code. */
function codeOf(input: unknown): string | undefined {
  if (typeof input === 'string') return codeInText(input);
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return undefined;
  const texts = Object.entries(input).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const named = texts.filter(([key]) => CODE_KEYS.has(key.toLowerCase()));
  return named.length === 1 ? named[0]?.[1] : undefined;
}

/** Arguments that are a text: JSON, or the code itself. */
function codeInText(text: string): string | undefined {
  const value = parseJson(text);
  return typeof value === 'object' && value !== null ? codeOf(value) : text;
}

/**
 * The tool calls written in a text: JSON objects with a name and arguments (Hermes, Qwen, Llama, Mistral), or tags with
 * a name and parameters (Qwen-Coder, Anthropic). Undefined when the text is neither.
 */
export function readToolCalls(text: string): readonly WrittenToolCall[] | undefined {
  const trimmed = text.trim();
  const tagged = readTaggedCalls(trimmed);
  if (tagged.length > 0) return tagged;
  const value = parseJson(trimmed) ?? parseJsonLines(trimmed);
  const calls = (Array.isArray(value) ? value : [value]).map(readJsonCall);
  return calls.length > 0 && calls.every((call) => call !== undefined) ? calls : undefined;
}

const NAMED_TAG =
  /<(?:function|invoke|tool)(?:=|\s+name=)["']?([\w.:-]+)["']?\s*>([\s\S]*?)(?:<\/(?:function|invoke|tool)>|$)/g;
const PARAMETER = /<parameter(?:=|\s+name=)["']?([\w.-]+)["']?[^>]*>\n?([\s\S]*?)\n?<\/parameter>/g;

/** DeepSeek. */
const DEEPSEEK_CALL =
  /<｜tool▁call▁begin｜>(?:function<｜tool▁sep｜>)?([\w.-]+)(?:<｜tool▁sep｜>)?\s*(?:```json)?([\s\S]*?)(?:```)?\s*<｜tool▁call▁end｜>/g;

function readTaggedCalls(text: string): WrittenToolCall[] {
  if (!text.startsWith('<')) return [];
  const calls = [...text.matchAll(DEEPSEEK_CALL)].map(([, name = '', body = '']) => ({ name, input: body.trim() }));
  if (calls.length > 0) return calls;
  return [...text.matchAll(NAMED_TAG)].map(([, name = '', body = '']) => {
    const parameters = [...body.matchAll(PARAMETER)].map(([, key = '', value = '']) => [key, value] as const);
    return { name, input: parameters.length > 0 ? Object.fromEntries(parameters) : body.trim() };
  });
}

function readJsonCall(value: unknown): WrittenToolCall | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const object = value as Readonly<Record<string, unknown>>;
  const inner = object.function ?? object.tool_call ?? object.function_call;
  if (typeof inner === 'object' && inner !== null) return readJsonCall(inner);
  const name = object.name ?? object.tool ?? object.tool_name ?? (typeof inner === 'string' ? inner : undefined);
  const input = object.arguments ?? object.parameters ?? object.args ?? object.input ?? object.tool_input;
  return typeof name === 'string' && input !== undefined ? { name, input } : undefined;
}

function parseJson(text: string): unknown {
  if (!/^[[{"]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One JSON object a line. */
function parseJsonLines(text: string): unknown[] | undefined {
  const values = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => parseJson(line.trim()));
  return values.length > 1 && values.every((value) => value !== undefined) ? values : undefined;
}

/** A provider's own tool calls as text, in the form that {@link readToolCalls} reads. */
export function renderToolCalls(calls: readonly { readonly name: string; readonly arguments: string }[]): string {
  return calls
    .map(({ name, arguments: input }) => `<tool_call>${JSON.stringify({ name, arguments: input })}</tool_call>`)
    .join('\n');
}
