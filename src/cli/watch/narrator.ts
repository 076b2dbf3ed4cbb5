import type { RunEvent } from '../../event/event.ts';
import type { Colors, TextStream } from '../screen/console.ts';
import { duration, stopwatch } from '../screen/figures.ts';
import { lineFormatOf, noteLines, replySentence, soFar, startLine, troubleLines, turnLine } from './run-lines.ts';
import type { RunState } from './run-state.ts';

/** The lines to print for an event; usually none. */
export type Narrator = (event: RunEvent, state: RunState, elapsedMs: number) => readonly string[];

/** Where a narrator's lines go. */
export interface NarratorOptions {
  readonly colors: Colors;
  readonly stream: Pick<TextStream, 'isTTY' | 'columns'>;
  /** Lines are read as they come: a reply has one of its own. Else a turn is one line. */
  readonly interactive: boolean;
}

/** A run in a few lines: its start, each turn with the first sentence of its reply, and every problem. */
export function briefNarrator({ colors, stream, interactive }: NarratorOptions): Narrator {
  const format = lineFormatOf(colors, stream);
  return (event, state, elapsedMs) => {
    if (event.runId !== event.traceId && event.type !== 'subcall.fallback') return [];
    switch (event.type) {
      case 'run.started':
        return [colors.dim(format.prose(startLine(event))), ...noteLines(event, format, false)];
      case 'model.replied': {
        const sentence = replySentence(state);
        if (!interactive || sentence === '') return [];
        return [format.prose(`${stopwatch(elapsedMs)} turn ${event.turn}: ${sentence}`)];
      }
      case 'turn.completed':
        if (!interactive) return [turnLine(event, state, elapsedMs)];
        return [colors.dim(format.prose(`  done in ${duration(event.durationMs)} · so far ${soFar(state)}`))];
      default:
        return troubleLines(event, format);
    }
  };
}
