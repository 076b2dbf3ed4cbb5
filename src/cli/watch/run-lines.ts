import type { RunEvent } from '../../event/event.ts';
import { contextNotes, contextWords } from '../context/context-words.ts';
import type { Colors, TextStream } from '../screen/console.ts';
import { counted, duration, refusalWords, stopwatch } from '../screen/figures.ts';
import { wrapped } from '../screen/layout.ts';
import { inOptionWords } from '../screen/option-words.ts';
import { onOneLine } from '../screen/terminal-text.ts';
import { firstSentence } from './first-sentence.ts';
import { spent } from './progress-line.ts';
import type { RunState } from './run-state.ts';

/** Characters of a message of one line. */
const LINE_CHARS = 300;
/** Characters of the first sentence of a reply. */
const SENTENCE_CHARS = 160;

/** How lines are formatted for a stream: colours, and prose wrapped for a terminal. */
export interface LineFormat {
  readonly colors: Colors;
  readonly prose: (text: string) => string;
}

export function lineFormatOf(colors: Colors, stream: Pick<TextStream, 'isTTY' | 'columns'>): LineFormat {
  return { colors, prose: (text) => wrapped(text, stream, 2) };
}

type Started = Extract<RunEvent, { type: 'run.started' }>;

export function startLine(event: Started): string {
  const sub = event.subCallModel === event.rootModel ? '' : `, sub-calls ${event.subCallModel}`;
  const contexts = contextWords(event.contexts) || 'no context';
  // A direct answer has none, and claims no isolation.
  const repl = event.backend === 'none' ? 'no REPL' : `${event.backend} REPL, isolation ${event.isolation}`;
  const parts = [`${event.rootModel}${sub}`, contexts, repl];
  return onOneLine(parts.join(' · '), LINE_CHARS);
}

export function noteLines({ contexts }: Started, { colors, prose }: LineFormat, all: boolean): readonly string[] {
  return contextNotes(contexts, all).map((line) => colors.yellow(prose(onOneLine(line, LINE_CHARS))));
}

/** The end of a turn on one line: all of it, where its reply has no line of its own. */
export function turnLine(
  event: Extract<RunEvent, { type: 'turn.completed' }>,
  state: RunState,
  elapsedMs: number,
): string {
  const sentence = replySentence(state);
  const parts = [
    `${stopwatch(elapsedMs)} turn ${event.turn}/${state.maxTurns ?? '?'} done in ${duration(event.durationMs)}`,
    ...(sentence === '' ? [] : [sentence]),
    `so far ${soFar(state)}`,
  ];
  return parts.join(' · ');
}

/** Sub-calls, tokens and money up to here. */
export function soFar(state: RunState): string {
  return [counted(state.allSubCalls, 'sub-call'), ...spent(state)].join(', ');
}

/** The first sentence of the turn's reply. */
export function replySentence({ reply }: Pick<RunState, 'reply'>): string {
  return onOneLine(firstSentence(reply), SENTENCE_CHARS);
}

export function troubleLines(event: RunEvent, { colors, prose }: LineFormat): readonly string[] {
  const line = troubleOf(event);
  return line === undefined ? [] : [colors.yellow(prose(onOneLine(line, LINE_CHARS)))];
}

function troubleOf(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'subcall.fallback':
      return `! ${event.using} is used instead of ${event.configured}: ${event.reason}`;
    case 'model.notice':
      return `! ${event.message}`;
    case 'route.chosen':
      return `${event.chosen === 'direct' ? 'one direct call' : 'the loop'}: ${event.reason}`;
    case 'evidence.checked': {
      const found = event.citations.filter(({ status }) => status !== 'not-found').length;
      return `${event.verdict === 'verified' ? '' : '! '}evidence ${event.verdict}: ${found} of ${counted(event.citations.length, 'quote')} found in the context`;
    }
    case 'context.truncated':
      return `! the conversation was cut to fit the model's window`;
    case 'context.compaction-failed':
      return `! old turns could not be summarised: ${event.message}`;
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

export function subCallWords(made: number, failed: number): string {
  return `${counted(made, 'sub-call')}${failed > 0 ? ` (${failed} failed)` : ''}`;
}
