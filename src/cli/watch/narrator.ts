import type { RunEvent } from '../../event/event.ts';
import { contextNotes, contextWords } from '../context/context-words.ts';
import type { Colors, TextStream } from '../screen/console.ts';
import { compact, counted, duration, money, refusalWords } from '../screen/figures.ts';
import { wrapped } from '../screen/layout.ts';
import { inOptionWords } from '../screen/option-words.ts';
import { forTerminal, onOneLine } from '../screen/terminal-text.ts';
import type { RunState } from './run-state.ts';

/** The lines to print for an event; usually none. */
export type Narrator = (event: RunEvent, state: RunState) => readonly string[];

/** Characters of a message of one line. */
const LINE_CHARS = 300;

/** How lines are formatted for a stream: colours, and prose wrapped for a terminal. */
interface Manner {
  readonly colors: Colors;
  readonly prose: (text: string) => string;
}

function mannerOf(colors: Colors, stream: Pick<TextStream, 'isTTY' | 'columns'>): Manner {
  return { colors, prose: (text) => wrapped(text, stream, 2) };
}

/** A run in a few lines: its start, each turn, and every problem. */
export function briefNarrator(colors: Colors, stream: Pick<TextStream, 'isTTY' | 'columns'> = {}): Narrator {
  const manner = mannerOf(colors, stream);
  return (event, state) => {
    if (event.runId !== event.traceId && event.type !== 'subcall.fallback') return [];
    switch (event.type) {
      case 'run.started':
        return [colors.dim(manner.prose(startLine(event))), ...noteLines(event, manner, false)];
      case 'turn.completed':
        return [colors.dim(manner.prose(turnLine(event, state)))];
      default:
        return troubleLines(event, manner);
    }
  };
}

/** All text the model writes and reads: replies with their code, outputs, refusals. */
export function fullNarrator(colors: Colors, stream: Pick<TextStream, 'isTTY' | 'columns'> = {}): Narrator {
  const manner = mannerOf(colors, stream);
  return (event, state) => {
    if (event.runId !== event.traceId) return event.type === 'subcall.fallback' ? troubleLines(event, manner) : [];
    switch (event.type) {
      case 'run.started':
        return [colors.dim(manner.prose(startLine(event))), ...noteLines(event, manner, true)];
      case 'model.replied': {
        const head = `── turn ${event.turn} · ${onOneLine(event.model, 80)} replied in ${duration(event.durationMs)} `;
        return ['', colors.bold(head.padEnd(72, '─')), forTerminal(event.text).trimEnd()];
      }
      case 'cell.completed': {
        const calls = event.subCalls === 0 ? '' : `, ${subCallWords(event.subCalls, event.failedSubCalls)}`;
        const head = `${event.ok ? colors.green('ok') : colors.red('failed')} in ${duration(event.durationMs)}${calls}`;
        return [`${colors.cyan('▸')} ${head}`, ...indented(event.shown)];
      }
      case 'turn.completed':
        return [colors.dim(manner.prose(turnLine(event, state)))];
      default:
        return troubleLines(event, manner);
    }
  };
}

type Started = Extract<RunEvent, { type: 'run.started' }>;

function startLine(event: Started): string {
  const sub = event.subCallModel === event.rootModel ? '' : `, sub-calls ${event.subCallModel}`;
  const contexts = contextWords(event.contexts) || 'no context';
  const parts = [`${event.rootModel}${sub}`, contexts, `${event.backend} REPL, isolation ${event.isolation}`];
  return onOneLine(parts.join(' · '), LINE_CHARS);
}

function noteLines({ contexts }: Started, { colors, prose }: Manner, all: boolean): readonly string[] {
  return contextNotes(contexts, all).map((line) => colors.yellow(prose(onOneLine(line, LINE_CHARS))));
}

function turnLine(event: Extract<RunEvent, { type: 'turn.completed' }>, state: RunState): string {
  const calls = counted(state.allSubCalls, 'sub-call');
  const turn = `turn ${event.turn}/${state.maxTurns ?? '?'} done in ${duration(event.durationMs)}`;
  return `${turn} · so far ${calls}, ${compact(state.tokens)} tokens, ${money(state.costUsd)}`;
}

function troubleLines(event: RunEvent, { colors, prose }: Manner): readonly string[] {
  const line = troubleOf(event);
  return line === undefined ? [] : [colors.yellow(prose(onOneLine(line, LINE_CHARS)))];
}

function troubleOf(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'subcall.fallback':
      return `! ${event.using} is used instead of ${event.configured}: ${event.reason}`;
    case 'model.notice':
      return `! ${event.message}`;
    case 'budget.warning':
      return `! ${Math.round(event.fraction * 100)} % of ${event.resource} is used`;
    case 'limit.reached':
      // The user asked for it and was shown a note.
      return event.limit === 'finish-requested' ? undefined : `! limit reached: ${inOptionWords(event.message)}`;
    case 'repl.restarted':
      return `! the REPL was restarted: ${event.reason}; ${event.lost}`;
    case 'command.rejected':
      return event.code === 'after-final' ? undefined : `! ${refusalWords(event)}`;
    default:
      return undefined;
  }
}

function subCallWords(made: number, failed: number): string {
  return `${counted(made, 'sub-call')}${failed > 0 ? ` (${failed} failed)` : ''}`;
}

function indented(text: string): readonly string[] {
  const lines = forTerminal(text).trimEnd();
  return lines === '' ? [] : lines.split('\n').map((line) => `  ${line}`);
}
