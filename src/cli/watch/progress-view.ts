import type { Clock } from '../../clock.ts';
import type { RunEvent } from '../../event/event.ts';
import type { RunFigures } from '../../resume/run-logs.ts';
import type { TextStream } from '../screen/console.ts';
import { columnsIn, columnsOf, wrapped } from '../screen/layout.ts';
import type { Narrator } from './narrator.ts';
import { progressLine } from './progress-line.ts';
import { INITIAL_STATE, nextState, type RunState } from './run-state.ts';

/** Shows a run in progress. */
export interface ProgressView {
  event(event: RunEvent): void;
  /** Starts from the figures of a run that is resumed. */
  goOnFrom(figures: Pick<RunFigures, 'subCalls' | 'inputTokens' | 'outputTokens' | 'costUsd'>): void;
  /** A sentence on a line of its own, broken between words where a terminal is narrower. */
  note(line: string): void;
  /** Takes the live line away. Later calls still print notes. */
  end(): void;
}

export interface ProgressViewOptions {
  readonly stream: TextStream;
  readonly clock: Clock;
  /** One line that is redrawn, for terminals; else a line per turn and one every {@link QUIET_MS}. */
  readonly interactive: boolean;
  /** Chooses the events that get a line of their own. */
  readonly narrator: Narrator;
}

/**
 * Milliseconds between two drawings of the live line: faster is not readable, and costs time that a batch of calls
 * could use.
 */
const REDRAW_MS = 100;
/** Milliseconds without a new line, on a stream that is not a terminal, before a line says that the run is alive. */
export const QUIET_MS = 10_000;

/** Columns a terminal adds to the live line when Ctrl-C is pressed: it echoes `^C`. */
const ECHO_COLUMNS = 2;

/** For `-q`: shows nothing. Errors are still printed elsewhere. */
export const NO_PROGRESS: ProgressView = {
  event: () => undefined,
  goOnFrom: () => undefined,
  note: () => undefined,
  end: () => undefined,
};

export function createProgressView(options: ProgressViewOptions): ProgressView {
  return options.interactive ? new LiveView(options) : new PlainView(options);
}

abstract class View implements ProgressView {
  protected readonly options: ProgressViewOptions;
  protected state: RunState = INITIAL_STATE;
  readonly #startedAt: number;

  constructor(options: ProgressViewOptions) {
    this.options = options;
    this.#startedAt = options.clock.now();
  }

  event(event: RunEvent): void {
    this.state = nextState(this.state, event);
    const lines = this.options.narrator(event, this.state, this.elapsedMs);
    if (lines.length > 0) this.print(lines.join('\n'));
  }

  goOnFrom({ subCalls, inputTokens, outputTokens, costUsd }: Parameters<ProgressView['goOnFrom']>[0]): void {
    this.state = { ...this.state, allSubCalls: subCalls, tokens: inputTokens + outputTokens, costUsd };
  }

  note(line: string): void {
    this.print(wrapped(line, this.options.stream, 2));
  }

  /** Writes lines as they are. */
  protected abstract print(lines: string): void;
  abstract end(): void;

  protected get elapsedMs(): number {
    return this.options.clock.now() - this.#startedAt;
  }

  protected line(width?: number): string {
    return progressLine(this.state, this.elapsedMs, width);
  }
}

/** A live line below whatever else was printed, redrawn with a carriage return and blanks: no escape sequences. */
class LiveView extends View {
  #shown = '';
  #cancel: (() => void) | undefined;

  constructor(options: ProgressViewOptions) {
    super(options);
    this.#draw();
  }

  protected override print(lines: string): void {
    this.#erase();
    this.options.stream.write(`${lines}\n`);
    if (this.#cancel !== undefined) this.#redraw();
  }

  override end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#erase();
  }

  #draw(): void {
    this.#redraw();
    this.#cancel = this.options.clock.schedule(REDRAW_MS, () => this.#draw());
  }

  #redraw(): void {
    const line = this.line(columnsOf(this.options.stream) - 1 - ECHO_COLUMNS);
    if (line === this.#shown) return;
    const rest = Math.max(0, columnsIn(this.#shown) - columnsIn(line));
    this.options.stream.write(`\r${line}${' '.repeat(rest)}`);
    this.#shown = line;
  }

  #erase(): void {
    if (this.#shown !== '') this.options.stream.write(`\r${' '.repeat(columnsIn(this.#shown) + ECHO_COLUMNS)}\r`);
    this.#shown = '';
  }
}

/** Lines only, for pipes and logs. */
class PlainView extends View {
  #cancel: (() => void) | undefined;

  constructor(options: ProgressViewOptions) {
    super(options);
    this.#wait();
  }

  protected override print(lines: string): void {
    this.options.stream.write(`${lines}\n`);
    if (this.#cancel !== undefined) this.#wait();
  }

  override end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(): void {
    this.#cancel?.();
    this.#cancel = this.options.clock.schedule(QUIET_MS, () => this.note(this.line()));
  }
}
