import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Console } from '../screen/console.ts';

/** The program that opens addresses; undefined where there is no display. */
function openerOf(env: Console['env']): readonly [program: string, ...args: string[]] | undefined {
  if (process.platform === 'darwin') return ['open'];
  if (process.platform === 'win32') return ['explorer.exe'];
  return (env.DISPLAY ?? env.WAYLAND_DISPLAY ?? '') === '' ? undefined : ['xdg-open'];
}

/**
 * Opens an address in the user's browser, where there is a display. Every user of the machine sees the arguments of a program,
 * so they name a file that only this user can read, and that leads to the address. It is removed at the end.
 */
export function openBrowser(address: string, env: Console['env']): AsyncDisposable | undefined {
  const opener = openerOf(env);
  if (opener === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'fathom-view-'));
  const file = join(folder, 'open.html');
  const html = `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=${address}"><title>Fathom</title>`;
  writeFileSync(file, html, { mode: 0o600 });
  const [program, ...args] = opener;
  const child = spawn(program, [...args, pathToFileURL(file).href], { stdio: 'ignore', detached: true });
  // Without such a program the printed address is enough.
  child.on('error', () => undefined);
  child.unref();
  return { [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }) };
}
