import { type Store, sqliteStore } from '../../src/index.ts';
import { postgresStore } from '../../src/store/postgres/index.ts';
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

/** Whether a conversation is that of a child, which these tests give a query that begins with `CHILD`. */
export function isOfChild(messages: MockRequest['messages']): boolean {
  return messages.some(({ role, content }) => role === 'user' && content.startsWith('Query:\nCHILD'));
}

/** Whether a request is one of the root run's, whose replies arrive slowly: their cells run before they are complete. */
export function isRoot({ system, messages }: Pick<MockRequest, 'system' | 'messages'>): boolean {
  return system.includes('You answer a query') && !isOfChild(messages);
}

/** The mock's answer follows from the request alone, so that every process gets the same. */
export function answerOf(request: Pick<MockRequest, 'system' | 'messages' | 'prompt'>): string {
  const { system, messages, prompt } = request;
  if (!system.includes('You answer a query')) return `<${prompt.length}:${prompt.toUpperCase()}>`.slice(0, 120);
  const turn = messages.filter(({ role }) => role === 'assistant').length;
  const root = isRoot(request);
  const lines = (root ? ROOT_TURNS : CHILD_TURNS)[turn] ?? ['FINAL("too many turns")'];
  const block = `\`\`\`repl\n${lines.join('\n')}\n\`\`\``;
  return root ? `${block}\n${'These are words behind the block. '.repeat(12)}` : block;
}

/** The store of a run that is killed: a folder, or the URL of a Postgres server with a schema, `postgres://…#schema`. */
export function openKillStore(place: string): Store {
  const [url = '', schema] = place.split('#');
  if (schema === undefined) return sqliteStore(place);
  return postgresStore(url, { schema, leaseMs: 1_000 });
}
