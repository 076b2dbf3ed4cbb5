import type { RunEvent } from '../../event/event.ts';
import type { Colors } from '../screen/console.ts';
import { duration } from '../screen/figures.ts';
import { wrapped } from '../screen/layout.ts';
import { forTerminal, onOneLine } from '../screen/terminal-text.ts';
import type { Narrator, NarratorOptions } from './narrator.ts';
import { lineFormatOf, noteLines, startLine, subCallWords, troubleLines, turnLine } from './run-lines.ts';

/** All text the model writes and reads, line by line as it comes: replies with their code, outputs, refusals. */
export function fullNarrator({ colors, stream }: Pick<NarratorOptions, 'colors' | 'stream'>): Narrator {
  const format = lineFormatOf(colors, stream);
  const reply = new LiveReply(colors, (line) => wrapped(line, stream, 0));
  const output = new LiveText((line) => `  ${line}`);
  return (event, state, elapsedMs) => {
    if (event.runId !== event.traceId) return event.type === 'subcall.fallback' ? troubleLines(event, format) : [];
    switch (event.type) {
      case 'run.started':
        return [colors.dim(format.prose(startLine(event))), ...noteLines(event, format, true)];
      case 'model.delta':
        return reply.delta(event);
      case 'model.replied':
        return reply.replied(event);
      case 'cell.output':
        return output.add(event.text);
      case 'cell.completed': {
        const calls = event.subCalls === 0 ? '' : `, ${subCallWords(event.subCalls, event.failedSubCalls)}`;
        const head = `${event.ok ? colors.green('ok') : colors.red('failed')} in ${duration(event.durationMs)}${calls}`;
        return [...output.endAs(event.shown), `${colors.cyan('▸')} ${head}`];
      }
      case 'turn.completed':
        return [colors.dim(format.prose(turnLine(event, { ...state, reply: '' }, elapsedMs)))];
      default:
        return troubleLines(event, format);
    }
  };
}

/** Text that comes in pieces, as whole lines fit for a terminal. */
class LiveText {
  readonly #style: (line: string) => string;
  #all = '';
  #shown = 0;

  constructor(style: (line: string) => string) {
    this.#style = style;
  }

  get begun(): boolean {
    return this.#all !== '';
  }

  /** Takes a piece. Returns the lines that are complete. */
  add(piece: string): readonly string[] {
    this.#all += piece;
    const end = this.#all.lastIndexOf('\n') + 1;
    if (end <= this.#shown) return [];
    const lines = forTerminal(this.#all.slice(this.#shown, end - 1)).split('\n');
    this.#shown = end;
    return lines.map(this.#style);
  }

  /** The text is complete: the rest of it, or all of it where it is not what came in pieces. */
  endAs(whole: string): readonly string[] {
    const seen = this.#all.slice(0, this.#shown);
    const rest = whole.startsWith(seen) ? whole.slice(seen.length) : whole;
    this.reset();
    const text = forTerminal(rest).trimEnd();
    return text === '' ? [] : text.split('\n').map(this.#style);
  }

  reset(): void {
    this.#all = '';
    this.#shown = 0;
  }
}

type Delta = Extract<RunEvent, { type: 'model.delta' }>;
type Replied = Extract<RunEvent, { type: 'model.replied' }>;

/** A reply while it is written, with the code in its fences coloured. */
class LiveReply {
  readonly #colors: Colors;
  readonly #prose: (line: string) => string;
  readonly #text: LiveText;
  #attempt = 0;
  #inFence = false;

  constructor(colors: Colors, prose: (line: string) => string) {
    this.#colors = colors;
    this.#prose = prose;
    this.#text = new LiveText((line) => this.#styled(line));
  }

  delta({ turn, attempt, text }: Delta): readonly string[] {
    const head: string[] = [];
    if (!this.#text.begun) head.push(...this.#head(`turn ${turn}`));
    else if (attempt !== this.#attempt) {
      this.#restart();
      head.push(this.#colors.yellow('! the reply broke off, and the model is asked again:'));
    }
    this.#attempt = attempt;
    return [...head, ...this.#text.add(text)];
  }

  replied({ turn, model, text, durationMs }: Replied): readonly string[] {
    const head = this.#text.begun
      ? []
      : this.#head(`turn ${turn} · ${onOneLine(model, 80)} replied in ${duration(durationMs)}`);
    const lines = this.#text.endAs(text);
    this.#restart();
    return [...head, ...lines];
  }

  #head(text: string): readonly string[] {
    return ['', this.#colors.bold(`── ${text} `.padEnd(72, '─'))];
  }

  #restart(): void {
    this.#text.reset();
    this.#inFence = false;
  }

  #styled(line: string): string {
    const isFence = /^\s*(?:```|~~~)/.test(line);
    if (isFence) this.#inFence = !this.#inFence;
    // Code keeps its lines as they are, to be copied.
    return isFence || this.#inFence ? this.#colors.cyan(line) : this.#prose(line);
  }
}
