import type { MockRequest } from '../mock-provider/index.ts';
import { isOfChild } from '../resume/kill-script.ts';

/** Children of the root. */
export const CHILDREN = 6;
/** Calls that the root makes before its children begin: two turns, and its flat calls. */
export const CALLS_BEFORE_CHILDREN: number = 2 + 12;
/** Calls of one child: two turns, and its flat calls. */
export const CALLS_OF_CHILD: number = 2 + 10 + 4;

/** Calls of the whole run: the root has one more turn after its children. */
export const CALLS: number = CALLS_BEFORE_CHILDREN + CHILDREN * CALLS_OF_CHILD + 1;

const ROOT_TURNS = [
  ['first = llm_query_batched([f"batch {i}" for i in range(12)])'],
  [`children = rlm_query_batched([(f"CHILD {i}", f"context of child {i}") for i in range(${CHILDREN})])`],
  ['import hashlib', 'FINAL(hashlib.sha256("|".join([*first, *children]).encode()).hexdigest())'],
];

const CHILD_TURNS = [
  ['mine = llm_query_batched([f"{context} {i}" for i in range(10)])'],
  ['more = [llm_query(f"{m} again") for m in mine[:4]]', 'FINAL("+".join([*mine, *more]))'],
];

/** The mock's answer follows from the request alone, so that every process gets the same. */
export function roundAnswerOf({ system, messages, prompt }: MockRequest): string {
  if (!system.includes('You answer a query')) return `<${prompt.length}:${prompt.toUpperCase()}>`.slice(0, 120);
  const turn = messages.filter(({ role }) => role === 'assistant').length;
  const child = isOfChild(messages);
  const lines = (child ? CHILD_TURNS : ROOT_TURNS)[turn] ?? ['FINAL("too many turns")'];
  return `\`\`\`repl\n${lines.join('\n')}\n\`\`\``;
}
