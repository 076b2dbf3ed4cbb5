import type { CallNode } from '../run-node.ts';
import { oneLine, pageOf } from './cut.ts';
import { type CallEntry, offset, type RunIndex } from './index-run.ts';
import type { CallLine, Page } from './page-types.ts';

/** The calls of the whole tree from `from` on, in the order of their commands. */
export function callPage(index: RunIndex, from: number): Page<CallLine> {
  return pageOf(index.calls.length, from, (at) => callLine(index, index.calls[at] as CallEntry));
}

function callLine(all: RunIndex, { call, run, command, index }: CallEntry): CallLine {
  const prompt = promptOf(call);
  const { kind, model, ok, error, reply, inputTokens, outputTokens, costUsd, durationMs, attempts } = call;
  return {
    key: `${run.runId}/${command.id}/c${index}`,
    depth: run.depth,
    ...{ kind, model, ok, code: error?.code ?? null },
    ...{ prompt: oneLine(prompt), reply: oneLine(reply === '' ? (error?.message ?? '') : reply) },
    ...{ promptChars: prompt.length, replyChars: reply.length },
    ...{ inputTokens, outputTokens, costUsd },
    ...{ at: offset(all, call.startedAt, offset(all, command.startedAt)), ms: durationMs, attempts },
    child: call.childRunId ?? null,
  };
}

/** The messages as one text: a prompt alone as it is, several with their roles. */
export function promptOf({ messages }: CallNode): string {
  const [only, more] = messages ?? [];
  if (only === undefined) return '';
  if (more === undefined) return only.content;
  return (messages ?? []).map(({ role, content }) => `[${role}] ${content}`).join('\n\n');
}
