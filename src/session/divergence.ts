import type { EventBus } from '../event/bus.ts';
import type { SessionDivergence } from './session.ts';
import type { OperationEnd } from './session-log.ts';

/** Characters of an error in a message. */
const PROBLEM_CHARS = 300;

/** Collects where bringing a session back differs from its record, and emits each difference. */
export class Divergences {
  readonly #events: EventBus;
  readonly #commands: { readonly id: string; readonly message: string }[] = [];
  #variables: readonly string[] = [];
  #last = '';

  constructor(events: EventBus) {
    this.#events = events;
  }

  /** A command is about to be replayed. */
  at(id: string): void {
    this.#last = id;
  }

  command(id: string, message: string): void {
    this.#commands.push({ id, message });
    this.#events.emit({ type: 'journal.diverged', commandId: id, message });
  }

  /** Variables that the session had when its record was written. */
  missing(variables: readonly string[]): void {
    if (variables.length === 0) return;
    this.#variables = variables;
    const message = `Variables of the session are missing: ${variables.slice(0, 50).join(', ')}${variables.length > 50 ? ', …' : ''}.`;
    this.#events.emit({ type: 'journal.diverged', commandId: this.#last, message, variables });
  }

  /** Undefined when nothing differs. */
  summary(): SessionDivergence | undefined {
    if (this.#commands.length === 0 && this.#variables.length === 0) return undefined;
    return { variables: this.#variables, commands: this.#commands };
  }
}

/** The end of an operation in its replay. */
export interface Replayed {
  readonly end: OperationEnd;
  readonly problem?: string;
  /** The variables that a killed REPL lost. */
  readonly lost?: string;
}

/** How a replay differs from the recorded end, in words; empty when it does not. */
export function differencesOf(recorded: OperationEnd, { end, problem, lost }: Replayed): readonly string[] {
  if (end.restarted) return [`the REPL was killed: ${lost ?? 'what it lost is not known'}`];
  // One that was cut has no end of its own to compare.
  if (recorded.cut) return [];
  const cause = problem === undefined ? '' : ` (${bounded(problem)})`;
  if (recorded.ok !== end.ok) return [recorded.ok ? `it failed, and had not${cause}` : 'it did not fail, and had'];
  return [
    ...(differs(recorded.errorType, end.errorType)
      ? [`it failed with another error than ${recorded.errorType}${cause}`]
      : []),
    ...(differs(recorded.exitCode, end.exitCode)
      ? [`its exit code was ${recorded.exitCode} and is ${end.exitCode}`]
      : []),
    ...(differs(recorded.answer, end.answer) ? ['it gave another answer'] : []),
  ];
}

/** Records of older versions do not say it. */
function differs<T>(recorded: T | undefined, now: T | undefined): boolean {
  return recorded !== undefined && recorded !== now;
}

function bounded(text: string): string {
  return text.length > PROBLEM_CHARS ? `${text.slice(0, PROBLEM_CHARS)}…` : text;
}
