import { messageOf, RlmError } from '../errors.ts';

/** The state of a session. `terminated` and `expired` are final. */
export type SessionState = 'initializing' | 'ready' | 'executing' | 'paused' | 'terminated' | 'expired';

const NEXT: Readonly<Record<SessionState, readonly SessionState[]>> = {
  initializing: ['ready', 'terminated', 'expired'],
  ready: ['executing', 'terminated', 'expired'],
  executing: ['ready', 'paused', 'terminated', 'expired'],
  // A completion stopped for something a person has to mend; the next thing asked for tries again.
  paused: ['executing', 'terminated', 'expired'],
  terminated: [],
  expired: [],
};

/** The state of a session; every change is checked and reported. */
export class StateMachine {
  #state: SessionState;
  readonly #onChange: (state: SessionState) => void;

  constructor(initial: SessionState, onChange: (state: SessionState) => void) {
    this.#state = initial;
    this.#onChange = onChange;
  }

  get state(): SessionState {
    return this.#state;
  }

  get ended(): boolean {
    return NEXT[this.#state].length === 0;
  }

  /** @throws TypeError for a change that cannot be: a defect of the caller */
  to(state: SessionState): void {
    if (state === this.#state) return;
    if (!NEXT[this.#state].includes(state)) throw new TypeError(`a session cannot go from ${this.#state} to ${state}`);
    this.#state = state;
    this.#onChange(state);
  }
}

/** @throws RlmError `session-closed`, `session-expired` for a session that has ended */
export function checkOpen(id: string, state: SessionState): void {
  if (state === 'terminated') {
    throw new RlmError({
      code: 'session-closed',
      message: `Session ${id} is closed (${state}): create another.`,
      userAction: true,
      data: { id, state },
    });
  }
  if (state === 'expired') {
    throw new RlmError({
      code: 'session-expired',
      message: `Session ${id} has expired: create another, and extend() it before its time is over.`,
      userAction: true,
      data: { id, state },
    });
  }
}

/** Nothing was done: it was cancelled while it waited for its turn. */
export function notBegun(error: unknown): RlmError {
  if (RlmError.isInstance(error)) return error;
  const why = error === undefined ? '' : ` (${messageOf(error)})`;
  return new RlmError({ code: 'cancelled', message: `Cancelled before it was its turn${why}.`, cause: error });
}

/** Its `Rlm` was closed; the session lives on in its store. */
export function letGo(id: string): RlmError {
  return new RlmError({
    code: 'session-closed',
    message: `Session ${id} was released when its Rlm was closed: restore it with openSession.`,
    userAction: true,
    data: { id },
  });
}

/** The session was closed while something ran in it, or waited for its turn. */
export function closedWhileBusy(id: string): RlmError {
  return new RlmError({
    code: 'session-closed',
    message: `Session ${id} was closed: what ran in it was stopped.`,
    userAction: true,
    data: { id },
  });
}

/** The error of every call to an `Rlm` that was closed. */
export function rlmClosed(): RlmError {
  return new RlmError({ code: 'session-closed', message: 'The Rlm is closed: create another.' });
}
