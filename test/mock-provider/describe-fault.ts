import { messageOf, RlmError } from '../../src/errors.ts';
import { seconds } from '../../src/model/attempt-watch.ts';
import { ModelError } from '../../src/model/model-error.ts';

/** Longest line a log gets. */
const LINE_CHARS = 600;

/**
 * One line for a log: the code, what happened, and what that means for the run.
 *
 * @example
 * ```ts
 * describeFault(error); // 'rate-limited: openai/gpt-5 is rate limited (HTTP 429), asks to wait 2 s. [can be retried after 2 s]'
 * ```
 */
export function describeFault(error: unknown): string {
  if (!RlmError.isInstance(error)) return oneLine(`error: ${messageOf(error)}`);
  const notes: string[] = [];
  if (ModelError.isInstance(error)) {
    if (error.stopsNewCalls) notes.push('no new calls; the run can be resumed');
    if (error.retryable) {
      notes.push(
        error.retryAfterMs === undefined ? 'can be retried' : `can be retried after ${seconds(error.retryAfterMs)}`,
      );
    }
    if (error.possiblyBilled) notes.push('possibly billed');
  }
  return oneLine(`${error.code}: ${error.message}${notes.length === 0 ? '' : ` [${notes.join('; ')}]`}`);
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > LINE_CHARS ? `${line.slice(0, LINE_CHARS - 1)}…` : line;
}
