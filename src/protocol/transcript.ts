import type { Outcome } from './command.ts';
import { reject } from './rejection.ts';

/** Lines with which a model begins to invent what its code printed, or the next message of the conversation. */
const TRANSCRIPT: readonly RegExp[] = [
  /^\W{0,6}(?:(?:repl|execution|cell|code|console|program|python|tool|actual|expected)[ _-]?)?(?:outputs?|results?|observations?|stdout)\b\W{0,6}:/i,
  /^\W{0,6}(?:repl|execution|cell|code|console|program|python|tool)[ _-](?:outputs?|results?|observations?)\W*$/i,
  /^\W{0,6}(?:out ?\[\d+\]:|observation\b)/i,
  /^\s*(?:#{1,4} |\*\*)?(?:user|assistant|human|system|tool|model|ipython)(?:\*\*)?\s*:?(?:\*\*)?\s*$/i,
  /^\s*(?:user|human|assistant):\s/i,
  // The message of a tool, in the marks of model families.
  /^\s*<(?:[\w-]{1,20}:)?(?:tool_(?:response|result|output)s?|function_(?:response|result|output)s?|observation|execution_(?:output|result)|code_output|result|output|stdout)>/i,
  /^\s*(?:<\|(?:observation|user|ipython|tool_response|start_header_id)\|?>|<\|turn>user|<｜tool▁outputs?▁begin｜>|<｜User｜>|\[TOOL_RESULTS\]|EXECUTION RESULT of)/,
  // Fathom's own feedback, copied.
  /^\s*\[t\d+\.\d+\]/,
  /^\| /,
  /^\s*Turn \d+ of \d+ is next/,
];

/** True if a line directly behind a block begins a transcript: output or messages that the model made up. */
export function beginsTranscript(line: string): boolean {
  return TRANSCRIPT.some((pattern) => pattern.test(line));
}

/** One rejection for everything from that line on. */
export function inventedOutput(line: string): Outcome {
  const problem = 'this is output or a message that you wrote yourself, so nothing from here on was read';
  return reject('invented-output', line, { problem, form: 'end your reply after the block and read the real output' });
}
