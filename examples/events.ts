/**
 * Events: a line for each reply, sub-call and end, as a user interface would show them.
 *
 * In a clone, after `npm run build`:
 *
 *     OPENAI_API_KEY=… node examples/events.ts demo/novels/emma.txt
 */
import { argv } from 'node:process';
import { createRlm, fromFile, type ModelRef, type RunEvent } from 'fathom-rlm';

/** One line for the events that a reader wants to see; undefined for all others. */
export function lineOf(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'model.replied':
      return `turn ${event.turn}: ${event.text.split('\n')[0]}`;
    case 'subcall.completed':
      return `  sub-call: ${event.ok ? 'ok' : event.code}`;
    case 'run.completed':
      return `${event.outcome}: ${event.text}`;
    default:
      return undefined;
  }
}

export async function watched(model: ModelRef, file: string): Promise<readonly string[]> {
  const lines: string[] = [];
  const onEvent = (event: RunEvent): void => {
    const line = lineOf(event);
    if (line !== undefined) lines.push(line);
  };
  const rlm = createRlm({ model, onEvent });
  try {
    await rlm.completion({ query: 'Who marries Mr. Knightley?', context: fromFile(file) });
    return lines;
  } finally {
    await rlm.close();
  }
}

if (import.meta.filename === argv[1])
  console.log((await watched('openai/gpt-5-mini', argv[2] ?? 'novel.txt')).join('\n'));
