import { parseReply } from './parse-reply.ts';

/** A fenced block with its closing line, or up to the end of the reply. */
const FENCED_BLOCK = /^[ \t>]*(`{3,}|~{3,})[^\n]*(?:\n[\s\S]*?(?:^[ \t>]*\1[`~]*[ \t]*$|(?![\s\S]))|(?![\s\S]))/gm;
/** A block between tags, as models write code and tool calls, or up to the end of the reply. */
const TAGGED_BLOCK =
  /<\|?(\w*(?:tool|function|execute|invoke|harmony|python|bash|shell|code|repl)\w*)\b[^>\n]*>[\s\S]*?(?:<\/\1>|(?![\s\S]))|\[TOOL_CALLS\][\s\S]*|<｜tool▁calls▁begin｜>[\s\S]*/gi;
/**
 * The line of a command, after list markers and emphasis; its argument may continue over the lines up to a blank one.
 */
const COMMAND_LINE = /^[>*`\s\d.)-]*[A-Z][A-Z_]{2,}[*`]*\((?:[^\n]*\)[*`.;\s]*$|[\s\S]*?(?:\n[ \t]*\n|(?![\s\S])))/gm;
/** A sentence that only introduces a command: "Now I count the words:". */
const LEAD_IN = /^[^\n]*[:：]\s*$/;

/**
 * True when a reply holds commands and nothing that a reader could take for an answer. Such a reply is never an answer: it
 * was written to be run.
 */
export function isOnlyCommands(reply: string): boolean {
  const { commands, rejected } = parseReply(reply);
  if (commands.length === 0 && rejected.length === 0) return false;
  const text = reply.trim();
  if (isJson(text)) return true;
  const rest = text.replace(FENCED_BLOCK, '').replace(TAGGED_BLOCK, '').replace(COMMAND_LINE, '').trim();
  return rest === '' || LEAD_IN.test(rest);
}

/** A tool call in JSON and nothing else. */
function isJson(text: string): boolean {
  if (!/^[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
