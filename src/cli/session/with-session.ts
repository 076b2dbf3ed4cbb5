import type { RunEvent } from '../../event/event.ts';
import { createRlm } from '../../rlm.ts';
import type { Session, SessionDivergence } from '../../session/session.ts';
import { type StoredSession, sessionRecord, storedSession } from '../../session/stored-session.ts';
import type { Store } from '../../store/index.ts';
import { applyConfig } from '../options/config.ts';
import { sessionIdOf } from '../options/ids.ts';
import type { ModelOptions } from '../options/models.ts';
import { openToWrite, type StoreOptions } from '../options/store.ts';
import type { Console } from '../screen/console.ts';
import { counted } from '../screen/figures.ts';
import { onOneLine } from '../screen/terminal-text.ts';
import { chooseModels, type ModelChoice } from './model-choice.ts';

/** A session to do one thing in. */
export interface UseSession {
  readonly id: string;
  readonly options: StoreOptions & ModelOptions & { readonly instructions?: string };
  readonly console: Console;
  readonly note?: (line: string) => void;
  readonly onEvent?: (event: RunEvent) => void;
}

/** A session that is open in this process. */
export interface OpenSession {
  readonly session: Session;
  readonly stored: StoredSession;
  readonly models: ModelChoice;
  readonly store: Store;
}

/** Lines about a difference that are written in full; the rest is counted. */
const MOST_LINES = 5;

/** How a session differs from its record, a line each. */
export function divergenceLines(diverged: SessionDivergence | undefined): readonly string[] {
  if (diverged === undefined) return [];
  const { variables, commands } = diverged;
  const more = commands.length - MOST_LINES;
  return [
    ...(variables.length === 0 ? [] : [`missing ${variables.join(', ')}`]),
    ...commands.slice(0, MOST_LINES).map(({ message }) => message),
    ...(more > 0 ? [`and ${counted(more, 'command')} more (--json has all)`] : []),
  ].map((line) => onOneLine(line, LINE_CHARS));
}

/** Characters of one line. */
const LINE_CHARS = 300;

/** Milliseconds before a note explains the wait. */
const PATIENCE_MS = 3_000;

/**
 * Opens a stored session, does one thing in it, and releases it: the session outlives this process.
 *
 * @throws RlmError `session-not-found`, `session-closed`, `session-expired`, `session-locked` when another process has it open
 */
export async function withSession<T>(use: UseSession, work: (open: OpenSession) => Promise<T>): Promise<T> {
  const { options, console, onEvent, note = () => undefined } = use;
  await using keeping = openToWrite(options.store);
  const { store } = keeping;
  const id = await sessionIdOf(use.id, store);
  const stored = storedSession(await sessionRecord(id, store), Date.now());
  const models = chooseModels(options, console.env, stored.models);
  const instructions = options.instructions ?? applyConfig(console.env).instructions;
  await using rlm = createRlm({
    ...models.rlm,
    store,
    isolation: stored.isolation,
    ...(instructions !== undefined && { prompt: { instructions } }),
    ...(onEvent !== undefined && { onEvent }),
  });
  const done = stored.last?.commands.length ?? 0;
  const waiting = setTimeout(
    () => note(`Restoring the session: ${counted(done, 'command')} and its questions are replayed.`),
    PATIENCE_MS,
  );
  const session = await rlm.openSession(id).finally(() => clearTimeout(waiting));
  for (const line of divergenceLines(session.status().diverged)) note(`The session differs from its record: ${line}`);
  return await work({ session, stored, models, store });
}
