import { appendFileSync, chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { messageOf } from '../../errors.ts';
import type { Console } from '../screen/console.ts';
import { HISTORY_LINES } from './limits.ts';

/** The lines of earlier chats. */
export interface HistoryFile {
  /** Newest first, as the line editor wants them. */
  readonly lines: readonly string[];
  /** Adds a line; one that begins with a blank is not kept. */
  add(line: string): void;
}

/** `$XDG_STATE_HOME/fathom/chat-history`, else below `~/.local/state`; a relative `XDG_STATE_HOME` is ignored, as its specification asks. */
export function historyPath({ XDG_STATE_HOME: xdg, HOME: home }: Console['env']): string {
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(home || homedir(), '.local', 'state');
  return join(base, 'fathom', 'chat-history');
}

/**
 * Opens the history. Each line is appended as it is entered, so that chats side by side lose none. A file that cannot
 * be used is noted once, and the chat continues without it.
 */
export function openHistory(path: string, note: (line: string) => void): HistoryFile {
  let works = true;
  const trying = (work: () => void): void => {
    if (!works) return;
    try {
      work();
    } catch (error) {
      works = false;
      note(`The lines of this chat are not remembered: ${messageOf(error)}.`);
    }
  };
  let lines: readonly string[] = [];
  trying(() => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    lines = stored(path);
  });
  return {
    lines,
    add(line) {
      if (/^\s|^$/.test(line)) return;
      trying(() => appendFileSync(path, `${line.replaceAll('\n', ' ')}\n`, { mode: 0o600 }));
    },
  };
}

/** The newest lines. A file that has grown to twice as many is cut to them. */
function stored(path: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  // Others' reading is taken away where the file was copied or made by hand.
  chmodSync(path, 0o600);
  const all = text.split('\n').filter((line) => line !== '');
  const newest = all.slice(-HISTORY_LINES);
  if (all.length > 2 * HISTORY_LINES) {
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, `${newest.join('\n')}\n`, { mode: 0o600 });
    renameSync(draft, path);
  }
  return newest.reverse();
}
