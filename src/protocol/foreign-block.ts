import type { Outcome } from './command.ts';
import { removeUniformIndentation } from './fenced-block.ts';
import { reject } from './rejection.ts';
import { skipListMarkers } from './scan.ts';
import { interpretToolCall, readToolCalls, taggedParameters, unwrappedCode } from './tool-call.ts';

/** A block in another system's dialect: tags around code, or around a tool call. */
export interface ForeignBlock {
  /** True once its closing tag has come. */
  readonly closed: () => boolean;
  readonly add: (line: string) => void;
  /** Text behind the closing tag on its line. */
  readonly tail: () => string;
  /** The commands of the block, once it has ended. */
  readonly outcomes: () => readonly Outcome[];
  /** The commands of the block if the reply ends inside it. */
  readonly unclosedOutcomes: (ending: { readonly cutOff: boolean }) => readonly Outcome[];
}

type Content = 'python' | 'bash' | 'call' | 'parameters';

interface Dialect {
  readonly opening: RegExp;
  readonly content: Content;
  readonly closing: (name: string) => string;
}

/** A namespace before the name of a tag: Anthropic, MiniMax, Seed, DeepSeek 3.2. */
const PREFIX = '(?:[\\w-]{1,20}:|｜DSML｜)?';
const tag = (names: string, attributes = ''): RegExp => new RegExp(`<(${PREFIX}(?:${names}))${attributes}>`, 'iy');
const PYTHON_TAGS =
  'code|python|py|execute|execute_python|execute_ipython|execute_ipython_cell|execute_code|run_python|run_code|ipython|tool_code|repl';
const CLINE_TOOLS =
  'execute_command|read_file|write_to_file|apply_diff|replace_in_file|insert_content|search_and_replace|search_files|list_files|' +
  'list_code_definition_names|codebase_search|browser_action|use_mcp_tool|access_mcp_resource|ask_followup_question|' +
  'attempt_completion|plan_mode_respond|switch_mode|new_task|update_todo_list|fetch_instructions';
const endTag = (name: string): string => `</${name}>`;

/** At the start of a line. The first group names the tag, the second a Harmony recipient. */
const DIALECTS: readonly Dialect[] = [
  // smolagents, CodeAct, OpenHands.
  {
    opening: tag(PYTHON_TAGS, '(?:\\s+(?:lang|language|type)=["\']?(?:py|python3?)["\']?)?'),
    content: 'python',
    closing: endTag,
  },
  { opening: tag('execute_bash|bash|shell'), content: 'bash', closing: endTag },
  // Hermes, Qwen, GLM, Anthropic, MiniMax, Seed, Nemotron, LongCat.
  {
    opening: tag('tool_call|function_call|function_calls|tool_calls|toolcall|longcat_tool_call'),
    content: 'call',
    closing: endTag,
  },
  // Cline and Roo: tools by their own names.
  { opening: tag(CLINE_TOOLS), content: 'parameters', closing: endTag },
  // Phi 4 mini: up to the end of the reply.
  { opening: /(functools)(?=\[)/y, content: 'call', closing: () => '</s>' },
  { opening: /<(harmony_call) name="[\w.-]+">/iy, content: 'call', closing: endTag },
  { opening: /(?=<(function)=[\w.-]+>)/iy, content: 'call', closing: endTag },
  { opening: new RegExp(`(?=<(${PREFIX}invoke) name=)`, 'iy'), content: 'call', closing: endTag },
  { opening: /<｜(tool▁calls▁begin)｜>/y, content: 'call', closing: () => '<｜tool▁calls▁end｜>' },
  // Kimi.
  { opening: /<\|(tool_calls_section_begin)\|>/y, content: 'call', closing: () => '<|tool_calls_section_end|>' },
  { opening: /(?=<\|(tool_call_begin)\|>)/y, content: 'call', closing: () => '<|tool_call_end|>' },
  // Gemma 4 and FunctionGemma.
  { opening: /<\|(tool_call)>/y, content: 'call', closing: () => '<tool_call|>' },
  { opening: /<(start_function_call)>/y, content: 'call', closing: () => '<end_function_call>' },
  // Phi 4 and Granite; Cohere; InternLM.
  { opening: /<\|(tool_call)\|>/y, content: 'call', closing: () => '<|/tool_call|>' },
  { opening: /<\|(START_ACTION)\|>/y, content: 'call', closing: () => '<|END_ACTION|>' },
  { opening: /<\|action_start\|>\s*<\|(plugin)\|>/y, content: 'call', closing: () => '<|action_end|>' },
  { opening: /<\|action_start\|>\s*<\|(interpreter)\|>/y, content: 'python', closing: () => '<|action_end|>' },
  // Mistral: up to the end of the reply.
  { opening: /\[(TOOL_CALLS)\]/y, content: 'call', closing: () => '</s>' },
  // Llama: code of its interpreter, or a call, up to the end of the message.
  { opening: /<\|(python_tag)\|>/y, content: 'python', closing: () => '<|eom_id|>' },
  { opening: /<\|(python_start)\|>/y, content: 'python', closing: () => '<|python_end|>' },
];

/** An opening behind a sentence that no sentence would quote: a special token, or a tag with the call on its line. */
const BEHIND_TEXT = new RegExp(
  `[^\`'"](<｜tool▁calls▁begin｜>|<\\|tool_calls_section_begin\\|>|<\\|python_tag\\|>|\\[TOOL_CALLS\\]|<${PREFIX}(?:tool_call|function_calls)>\\s*(?=[{[<]))`,
  'i',
);

/** Where a line opens a block behind other text; -1 if it opens none. */
export function foreignBehindText(line: string): number {
  const match = BEHIND_TEXT.exec(line);
  return match === null ? -1 : match.index + 1;
}

const RECIPIENT = /<harmony_call name="([\w.-]+)">/i;

/**
 * The block that a line opens, if it opens one: a dialect's opening at its start, after list markers. Undefined as well
 * for a tag in a sentence: code after whose closing tag the line continues is inline code.
 */
export function openForeignBlock(line: string): ForeignBlock | undefined {
  const start = skipListMarkers(line, 0);
  const first = line.charAt(start);
  if (first !== '<' && first !== '[' && !line.startsWith('functools[', start)) return undefined;
  for (const { opening, content, closing } of DIALECTS) {
    opening.lastIndex = start;
    const match = opening.exec(line);
    if (match === null) continue;
    const close = closing(match[1] ?? '');
    const rest = line.slice(start + match[0].length);
    const end = rest.toLowerCase().indexOf(close.toLowerCase());
    if (content === 'python' && end !== -1 && rest.slice(end + close.length).trim() !== '') return undefined;
    return createForeignBlock(
      { content, close, recipient: RECIPIENT.exec(match[0])?.[1], opening: match[0] || line },
      rest,
    );
  }
  return undefined;
}

/** `Action:` and a name, as ReAct and LangChain's agents write a call. */
const REACT_ACTION = /^[\s>*_]{0,6}Action[\s*_]{0,4}:[\s*_]{0,4}([\w][\w .-]{0,60}?)[\s*_]*$/i;
const REACT_INPUT = /^[\s>*_]{0,6}Action[ _]Input[\s*_]{0,4}:[\s*_]{0,4}(?:\n)?/i;
/** The lines with which the model invents the result of its call. */
const REACT_END = /^\W{0,6}(?:observation|thought|final answer)\b\W{0,4}:/i;

/** The tool that a line of ReAct names; undefined for any other line. */
export function reactAction(line: string): string | undefined {
  return REACT_ACTION.exec(line)?.[1];
}

/** The block that `Action Input:` opens behind an `Action:` line: up to what the model invents, or the end of the reply. */
export function openReactBlock(line: string, tool: string): ForeignBlock | undefined {
  const head = REACT_INPUT.exec(line)?.[0];
  if (head === undefined) return undefined;
  return createForeignBlock(
    { content: 'call', close: REACT_END, recipient: tool, opening: `Action: ${tool}` },
    line.slice(head.length),
  );
}

interface Opened {
  readonly content: Content;
  /** The text that ends it; a pattern ends it with a line that does not belong to it. */
  readonly close: string | RegExp;
  /** The tool that a Harmony call or an `Action:` names. */
  readonly recipient: string | undefined;
  readonly opening: string;
}

function createForeignBlock(opened: Opened, first: string): ForeignBlock {
  const lines: string[] = [];
  let closed = false;
  let tail = '';

  function add(line: string): void {
    const { close } = opened;
    const end = typeof close === 'string' ? line.toLowerCase().indexOf(close.toLowerCase()) : line.search(close);
    lines.push(end === -1 ? line : line.slice(0, end));
    closed = end !== -1;
    if (closed) tail = line.slice(end + (typeof close === 'string' ? close.length : 0));
  }

  add(first);
  return {
    closed: () => closed,
    tail: () => tail,
    add,
    outcomes: () => outcomesOf(opened, lines),
    unclosedOutcomes({ cutOff }) {
      if (!cutOff) return outcomesOf(opened, lines);
      const problem = 'the reply was cut off before the code was complete, so nothing of it ran';
      return [reject('cut-off', opened.opening, { problem, form: 'send it again, shorter, in a ```python block' })];
    },
  };
}

function outcomesOf({ content, recipient, opening }: Opened, lines: readonly string[]): readonly Outcome[] {
  const text = unfenced(removeUniformIndentation(trimBlankLines(lines)).join('\n'));
  if (text.trim() === '') {
    const form = 'put the code in a ```python block';
    return [reject('empty', opening, { problem: 'the block holds nothing to run', form })];
  }
  if (content === 'python') {
    const calls = /^\s*[[{]/.test(text) ? readToolCalls(text) : undefined;
    return calls?.map(interpretToolCall) ?? [{ kind: 'command', command: { type: 'cell', code: unwrappedCode(text) } }];
  }
  if (content === 'bash') return [{ kind: 'command', command: { type: 'bash', command: text } }];
  if (content === 'parameters') return [interpretToolCall({ name: nameOf(opening), input: taggedParameters(text) })];
  if (recipient !== undefined) return [interpretToolCall({ name: recipient, input: text })];
  const calls = readToolCalls(text);
  if (calls !== undefined) return calls.map(interpretToolCall);
  return [interpretToolCall({ name: nameOf(opening), input: undefined })];
}

function nameOf(opening: string): string {
  return opening.replace(/[<>[\]]/g, '').slice(0, 40);
}

/** Some models put a fence inside the tag. */
const FENCE_INSIDE = /^\s*```[\w-]*\n([\s\S]*?)\n?```\s*$/;

function unfenced(text: string): string {
  return FENCE_INSIDE.exec(text)?.[1] ?? text;
}

function trimBlankLines(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line.trim() !== '');
  const last = lines.findLastIndex((line) => line.trim() !== '');
  return first === -1 ? [] : lines.slice(first, last + 1);
}
