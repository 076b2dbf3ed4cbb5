import { defined } from '../defined.ts';
import type { Command, Outcome } from './command.ts';
import { answerToSend } from './prose-answer.ts';
import { pythonLiteralAsJson } from './python-literal.ts';
import { blockToSend, excerptOf, reject } from './rejection.ts';
import { literalAt } from './scan.ts';

/** A tool call as a model wrote it. No request of Fathom offers tools: the model means one of its own habits. */
export interface WrittenToolCall {
  readonly name: string;
  /** Its arguments: an object, a text, or undefined when they could not be read. */
  readonly input: unknown;
}

/** Names under which models call an interpreter of Python. */
const PYTHON =
  /^(?:(?:functions?|tools?|default_api)[.:])?(?:(?:run|exec|execute|eval)[_-]?)?(?:python3?|py|i?python|jupyter|repl|code|cell|notebook)(?:[_-]?(?:code|cell|repl|exec|execute|execution|executor|interpreter|tool|script|runner|run|block|cell|ast))*$/i;
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
export function interpretToolCall({ name, input }: WrittenToolCall): Outcome {
  const call = { name: name.trim().replace(/\s+/g, '_'), input };
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
  /^(?:(?:functions?|tools?)[.:])?(?:attempt[_-]completion|directly[_-]answer|final[_-]?answer|final|finish|answer|submit|respond|done)(?:[_-]?(?:answer|result|task))?$/i;
/** A first look at any context, for a call that holds no code to repeat. */
export const FIRST_LOOK = 'print(type(context), len(context))\nprint(str(context)[:1000])';

function notATool({ name, input }: WrittenToolCall, code: string | undefined): Outcome {
  const tool = `this is a call of the tool "${excerptOf(name)}", and there are no tools here`;
  const answer = ANSWERS.test(name) ? answerOf(input) : undefined;
  if (answer !== undefined) return reject('tool-call', name, { problem: tool, ...answerToSend(answer) });
  const problem = `${tool}: code runs in blocks`;
  if (code === undefined) return reject('tool-call', name, { problem, ...defined({ send: blockToSend(FIRST_LOOK) }) });
  const send = blockToSend(code);
  const form = send === undefined ? 'send the same code between a line ```repl and a line ```' : undefined;
  return reject('tool-call', name, { problem, ...defined({ send, form }) });
}

/** The one value that a call of an answering tool gives. */
function answerOf(input: unknown): string | undefined {
  const given = typeof input === 'string' ? (parseJson(input) ?? input) : input;
  // Cline adds a command that would show the result.
  const answers = isObject(given) && 'result' in given ? [given.result] : undefined;
  const values = answers ?? (isObject(given) ? Object.values(given) : [given]);
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
  const tagged = readTaggedCalls(trimmed.replace(NAMESPACE, '$1'));
  if (tagged.length > 0) return tagged;
  const value = parseJson(trimmed) ?? parseJsonLines(trimmed) ?? parseLoosely(trimmed);
  const wrapped = isObject(value) && Array.isArray(value.tool_calls) ? value.tool_calls : value;
  const calls = (Array.isArray(wrapped) ? wrapped : [wrapped]).map(readJsonCall);
  return calls.length > 0 && calls.every((call) => call !== undefined) ? calls : undefined;
}

const NAMED_TAG =
  /<(?:function|invoke|tool)(?:=|\s+name=)["']?([\w.:-]+)["']?\s*>([\s\S]*?)(?:<\/(?:function|invoke|tool)>|$)/g;
const PARAMETER = /<parameter(?:=|\s+name=)["']?([\w.-]+)["']?[^>]*>\n?([\s\S]*?)\n?<\/parameter>/g;

/** DeepSeek. */
const DEEPSEEK_CALL =
  /<｜tool▁call▁begin｜>(?:function<｜tool▁sep｜>)?([\w.-]+)(?:<｜tool▁sep｜>)?\s*(?:```json)?([\s\S]*?)(?:```)?\s*<｜tool▁call▁end｜>/g;

/** Namespaces of tags, which mean nothing here. */
const NAMESPACE = /(<\/?)(?:[\w-]{1,20}:|｜DSML｜)(?=invoke\b|parameter\b)/g;
/** Kimi, and Mistral from version 11 on. */
const MARKED_CALLS: readonly RegExp[] = [
  DEEPSEEK_CALL,
  /<\|tool_call_begin\|>\s*([\w.-]+)(?::\d+)?\s*<\|tool_call_argument_begin\|>([\s\S]*?)(?=<\|tool_call|$)/g,
  /(?<![^\]\s])([\w.-]+)(?:\[CALL_ID\][\w-]*)?\[ARGS\]([\s\S]*?)(?=\[TOOL_CALLS\]|$)/g,
];
/** Calls of one name, and their arguments: GLM; Gemma; Anthropic before 2024. */
const CALLS_WITH_FIELDS: readonly { readonly call: RegExp; readonly fields: RegExp }[] = [
  {
    call: /^([\w.:-]+)\s*(<arg_key>[\s\S]*)$/g,
    fields: /<arg_key>([\w.-]+)<\/arg_key>\s*<arg_value>\n?([\s\S]*?)\n?<\/arg_value>/g,
  },
  {
    call: /^call:([\w.:-]+)\{([\s\S]*)\}/g,
    fields: /([\w.-]+):(?:<escape>|<\|"\|>)([\s\S]*?)(?:<escape>|<\|"\|>)/g,
  },
  {
    call: /<invoke>\s*<tool_name>([\w.-]+)<\/tool_name>\s*<parameters>([\s\S]*?)<\/parameters>/g,
    fields: /<(\w+)>\n?([\s\S]*?)\n?<\/\1>/g,
  },
];

function readTaggedCalls(text: string): WrittenToolCall[] {
  for (const pattern of MARKED_CALLS) {
    const calls = [...text.matchAll(pattern)].map(([, name = '', body = '']) => ({ name, input: body.trim() }));
    if (calls.length > 0) return calls;
  }
  for (const { call, fields } of CALLS_WITH_FIELDS) {
    const calls = [...text.matchAll(call)].map(([, name = '', body = '']) => ({ name, input: fieldsIn(body, fields) }));
    if (calls.length > 0) return calls;
  }
  if (!text.startsWith('<')) return [];
  return [...text.matchAll(NAMED_TAG)].map(([, name = '', body = '']) => {
    const parameters = fieldsIn(body, PARAMETER);
    return { name, input: Object.keys(parameters).length > 0 ? parameters : body.trim() };
  });
}

/** `[python(code="print(1)")]`, as Llama writes calls, with `print(default_api.…)` around it as Gemini does. */
const PYTHONIC = /^\[?\s*(?:print\()?(?:(?:default_api|functions)\.)?([\w.-]+)\(\s*(\w+)\s*=\s*/;

function readPythonicCall(text: string): WrittenToolCall | undefined {
  const [head = '', name = '', key = ''] = PYTHONIC.exec(text) ?? [];
  const literal = head === '' ? undefined : literalAt(text, head.length);
  if (literal === undefined || literal.prefix.includes('f') || !/^\s*\)*\s*\]?\s*$/.test(text.slice(literal.end)))
    return undefined;
  return { name, input: { [key]: literal.value } };
}

/** Keys beside code in an object that is nothing but code: smolagents' structured output. */
const BESIDE_CODE = /^(?:thoughts?|reasoning|explanation|plan|description|comment|language|lang|type)$/i;
const CODE_KEY = /^(?:code|python|python_?code|code_action)$/i;

/** The code of a JSON object that holds code and nothing that could be an answer: `{"thought": "…", "code": "…"}`. */
export function bareCode(text: string): string | undefined {
  const value = parseJson(text.trim());
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const codes = entries.filter(([key]) => CODE_KEY.test(key));
  const others = Object.keys(value).filter((key) => !CODE_KEY.test(key) && !BESIDE_CODE.test(key));
  const language = entries.find(([key]) => /^lang/i.test(key))?.[1] ?? 'python';
  const [first] = codes;
  if (codes.length !== 1 || first === undefined || others.length > 0 || !/^(?:i?python3?|py)$/i.test(language))
    return undefined;
  return first[1].trim() === '' ? undefined : first[1];
}

/** The parameters of a call as tags named after them: Cline and Roo. */
export function taggedParameters(text: string): Readonly<Record<string, string>> {
  return fieldsIn(text, /<(\w+)>\n?([\s\S]*?)\n?<\/\1>/g);
}

/** The code that a block of Python only hands to a tool for Python: models trained on tools write it so. */
export function unwrappedCode(code: string): string {
  const call = /^\s*(?:\[|print\(\s*default_api\.|default_api\.|print\((?:python|run_python|execute_python)\()/.test(
    code,
  )
    ? readPythonicCall(code.trim())
    : undefined;
  const outcome = call === undefined ? undefined : interpretToolCall(call);
  return outcome?.kind === 'command' && outcome.command.type === 'cell' ? outcome.command.code : code;
}

function fieldsIn(body: string, pattern: RegExp): Readonly<Record<string, string>> {
  return Object.fromEntries([...body.matchAll(pattern)].map(([, key = '', value = '']) => [key, value] as const));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON with line ends in its strings, or a dict of Python: as models write a call that holds code. */
function parseLoosely(text: string): unknown {
  if (!/^[[{]/.test(text) || !/["'](?:name|tool|tool_name|action|function)["']/.test(text)) return undefined;
  return parseJson(pythonLiteralAsJson(text) ?? '');
}

function readJsonCall(value: unknown): WrittenToolCall | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const object = value as Readonly<Record<string, unknown>>;
  const inner = object.function ?? object.tool_call ?? object.function_call;
  if (typeof inner === 'object' && inner !== null) return readJsonCall(inner);
  const name =
    object.name ?? object.tool ?? object.tool_name ?? object.action ?? (typeof inner === 'string' ? inner : undefined);
  const input =
    object.arguments ?? object.parameters ?? object.args ?? object.input ?? object.tool_input ?? object.action_input;
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
