import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { historyPath, openHistory } from './history-file.ts';
import { HISTORY_LINES } from './limits.ts';

const folder = mkdtempSync(join(tmpdir(), 'fathom-history-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the lines of earlier chats', () => {
  it('lie in the state folder of the user, never in the working directory', () => {
    expect(historyPath({ XDG_STATE_HOME: '/state', HOME: '/home/a' })).toBe('/state/fathom/chat-history');
    expect(historyPath({ XDG_STATE_HOME: 'state', HOME: '/home/a' })).toBe('/home/a/.local/state/fathom/chat-history');
  });

  it('come newest first; chats side by side lose none; a line that begins with a blank is not kept', () => {
    const path = join(folder, 'a', 'b', 'chat-history');
    const [one, two] = [openHistory(path, () => undefined), openHistory(path, () => undefined)];
    one.add('first');
    two.add('second');
    one.add(' secret');
    one.add('');
    expect(openHistory(path, () => undefined).lines).toEqual(['second', 'first']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'a', 'b')).mode & 0o777).toBe(0o700);
  });

  it('are cut to the newest once there are twice as many', () => {
    const path = join(folder, 'long');
    writeFileSync(path, Array.from({ length: 2 * HISTORY_LINES + 1 }, (_, n) => `line ${n}\n`).join(''), {
      mode: 0o644,
    });
    expect(openHistory(path, () => undefined).lines[0]).toBe(`line ${2 * HISTORY_LINES}`);
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(HISTORY_LINES + 1);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('are given up with one note where they cannot be kept', () => {
    const notes: string[] = [];
    writeFileSync(join(folder, 'file'), '');
    const history = openHistory(join(folder, 'file', 'chat-history'), (line) => notes.push(line));
    history.add('a');
    history.add('b');
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain('not remembered');
  });
});
