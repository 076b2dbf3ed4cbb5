import { createReasoningFilter } from './reasoning.ts';

/** The prose of a reply without the model's reasoning; fences are not looked at. */
export function withoutReasoning(reply: string): string {
  let kept: string[] = [];
  const filter = createReasoningFilter(() => {
    kept = [];
    return true;
  });
  for (const line of reply.split(/\r\n|\r|\n/)) {
    const visible = filter.line(line);
    if (visible !== undefined) kept.push(visible);
  }
  const rest = filter.rest();
  return [...kept, ...(rest === undefined ? [] : [rest])].join('\n').trim();
}
