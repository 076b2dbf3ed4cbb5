import type { MockRequest } from '../mock-provider/index.ts';

const ROOT_TURNS = [
  ['first = llm_query_batched([f"batch {i}" for i in range(200)])'],
  [
    'import asyncio',
    'second = await asyncio.gather(*[allm_query(f"task {i}") for i in range(60)])',
    'chained = "chain"',
    'for _ in range(10):',
    '    chained = llm_query(chained)',
  ],
  ['children = rlm_query_batched([(f"CHILD {i}", f"context of child {i}") for i in range(6)])'],
  ['import hashlib', 'FINAL(hashlib.sha256("|".join([*first, *second, chained, *children]).encode()).hexdigest())'],
];

const CHILD_TURNS = [
  ['mine = llm_query_batched([f"{context} {i}" for i in range(25)])'],
  ['more = llm_query_batched([f"{m} again" for m in mine[:15]])', 'FINAL("+".join([*mine, *more]))'],
];

/** Sub-calls of the whole run: flat ones of the root, children, and theirs. */
export const SUB_CALLS: number = 200 + 60 + 10 + 6 + 6 * (25 + 15);

/** The mock's answer follows from the request alone, so that every process gets the same. */
export function answerOf({ system, messages, prompt }: Pick<MockRequest, 'system' | 'messages' | 'prompt'>): string {
  if (!system.includes('You answer a query')) return `<${prompt.length}:${prompt.toUpperCase()}>`.slice(0, 120);
  const turn = messages.filter(({ role }) => role === 'assistant').length;
  const child = messages.some(({ role, content }) => role === 'user' && content.startsWith('Query:\nCHILD'));
  const lines = (child ? CHILD_TURNS : ROOT_TURNS)[turn] ?? ['FINAL("too many turns")'];
  return `\`\`\`repl\n${lines.join('\n')}\n\`\`\``;
}
