/**
 * The page: of a server, or of a file that holds one run.
 *
 * @module
 */
import { render } from 'preact';
import type { RunDocument } from '../../src/view/run-document.ts';
import { App } from './app.tsx';
import { app, locked, setTheme, theme } from './app-state.ts';
import { fileSource } from './data/file-source.ts';
import { hasSession, httpSource, openSession } from './data/http-source.ts';
import { listenToKeys } from './keys.ts';
import { go, parseRoute, route, runLink } from './route.ts';
import './style/base.css';
import './style/list.css';
import './style/run.css';
import './style/turns.css';
import './style/calls.css';
import './style/time.css';
import './style/dialogs.css';

async function start(): Promise<void> {
  setTheme(theme.value);
  const data = document.getElementById('run-data');
  if (data !== null) {
    const held = fileSource(JSON.parse(data.textContent ?? '') as RunDocument);
    app.source = held;
    if (route.value.page !== 'run' || route.value.id !== held.only) go(runLink(held.only ?? ''), true);
  } else {
    app.source = httpSource(() => {
      locked.value = true;
    });
    await signIn();
  }
  listenToKeys();
  const root = document.getElementById('app');
  if (root === null) throw new Error('the page has no place to draw in');
  root.textContent = '';
  render(<App />, root);
}

/** The token of the link is used once, and leaves the address at once. */
async function signIn(): Promise<void> {
  const [, token, rest = ''] = /^#token=([\w-]+)(.*)$/s.exec(location.hash) ?? [];
  if (token !== undefined) {
    history.replaceState(null, '', `#${rest === '' ? '/' : rest}`);
    route.value = parseRoute(location.hash);
  }
  const opened = token !== undefined && (await openSession({ token }));
  locked.value = !opened && !(await hasSession()) && !(await openSession({}));
}

start().catch((error: unknown) => {
  const root = document.getElementById('app');
  if (root !== null)
    root.textContent = `The page could not start: ${error instanceof Error ? error.message : String(error)}`;
});
