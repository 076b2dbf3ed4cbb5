import { blockToSend, parseReply } from '../protocol/index.ts';

/** Code, or a command, in a form that is not read: what was seen, and the reply in the right form. */
export interface UnreadCode {
  readonly form: string;
  readonly seen: string;
  readonly send: string;
}

const TAG = '(?:python3?|py|repl|tool_code)';
/** A fence whose line ends were written as `\n`. */
const ESCAPED = new RegExp(`^\\s*\`{3,}${TAG}\\\\n[\\s\\S]*\`{3,}\\s*$`);
/** One or two backticks, or three quotation marks, in place of a fence. */
const OTHER_FENCE = new RegExp(`^\\s*(\`{1,2}|"""|''')${TAG}\\s*\\n([\\s\\S]*?)\\n?\\s*\\1\\s*$`);
const CONSOLE = /^[ \t]*(?:(?:>>>|\.\.\.)(?: |$)|In \[\d+\]: )/;
/** A line with which code begins, and no sentence. */
const CODE_LINE =
  /^(?:import \w[\w., ]*|from [\w.]+ import .+|print\(.+\)|for \w[\w, ]* in .+:|while .+:|with .+:|if .+:|def \w+\(.*\).*:|try:|[a-z_]\w*(?:\[[^\]]*\])? (?:\+?=) .+|[a-z_][\w.]*\(.*\))$/;

/** Characters of a reply above which its form is not looked at: a slip of a single block is shorter. */
const LOOKED_AT_CHARS = 20_000;

/** The code of a reply that has no block which is read; undefined for anything else. */
export function unreadCode(text: string): UnreadCode | undefined {
  if (text.length > LOOKED_AT_CHARS) return undefined;
  if (ESCAPED.test(text)) {
    const code = firstCell(text.replaceAll('\\n', '\n'));
    return found('escaped', 'the line ends of its block are written as \\n', code);
  }
  const other = OTHER_FENCE.exec(text);
  if (other !== null) return found('other fence', 'its code is between other marks than three backticks', other[2]);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const prompts = lines.filter((line) => CONSOLE.test(line));
  if (prompts.length > 0 && CONSOLE.test(lines[0] ?? '')) {
    return found('console', 'it is code without a block', prompts.map((line) => line.replace(CONSOLE, '')).join('\n'));
  }
  if (lines.length > 0 && lines.every((line) => /^\s/.test(line) || CODE_LINE.test(line))) {
    return found('bare code', 'it is code without a block', text.trim());
  }
  return undefined;
}

function found(form: string, seen: string, code: string | undefined): UnreadCode | undefined {
  const send = code === undefined || code.trim() === '' ? undefined : blockToSend(code);
  return send === undefined ? undefined : { form, seen, send };
}

function firstCell(text: string): string | undefined {
  const cell = parseReply(text).commands.find((command) => command.type === 'cell');
  return cell?.type === 'cell' ? cell.code : undefined;
}

const FENCE = /^[ \t]*(`{3,}|~{3,})[ \t]*[\w+#.-]+[^\n]*\n([\s\S]*?)\n?[ \t]*\1/m;

/** The command that a block of another tag holds alone: `FINAL(42)` in a block of text. */
export function commandInBlock(text: string): string | undefined {
  const content = FENCE.exec(text)?.[2]?.trim();
  if (content === undefined) return undefined;
  const { commands, rejected } = parseReply(content);
  const [command] = commands;
  const only = commands.length === 1 && rejected.length === 0;
  return only && (command?.type === 'final' || command?.type === 'final-var') ? content : undefined;
}
