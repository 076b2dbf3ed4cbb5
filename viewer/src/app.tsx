import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { helpOpen, locked, message, searchOpen, setTheme, source, type Theme, theme } from './app-state.ts';
import { openSession } from './data/http-source.ts';
import { Icon, Mark } from './parts/icons.tsx';
import { route, runLink } from './route.ts';
import { Compare } from './views/compare.tsx';
import { Help } from './views/help.tsx';
import { RunPage } from './views/run-page.tsx';
import { RunsList } from './views/runs-list.tsx';

/** The whole page. */
export function App(): JSX.Element {
  const here = route.value;
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        Skip to the content
      </button>
      <Bar />
      <main id="main" tabIndex={-1}>
        {locked.value ? (
          <Lock />
        ) : here.page === 'run' ? (
          <RunPage key={here.id} route={here} />
        ) : here.page === 'compare' ? (
          <Compare key={here.ids.join()} ids={here.ids} />
        ) : (
          <RunsList key={location.hash} compareWith={compareWith()} />
        )}
      </main>
      {helpOpen.value && <Help />}
      <div class={`toast ${message.value === '' ? '' : 'shown'}`} role="status" aria-live="polite">
        {message.value}
      </div>
    </>
  );
}

function skip(): void {
  document.querySelector<HTMLElement>('main')?.focus();
}

/** Of `#/?compare=ID`. */
function compareWith(): string | null {
  return new URLSearchParams(location.hash.split('?')[1] ?? '').get('compare');
}

function Bar(): JSX.Element {
  const here = route.value;
  const isFile = source().kind === 'file';
  const home = isFile ? runLink(source().only ?? '') : '#/';
  return (
    <header class="bar">
      <a class="brand" href={home}>
        <Mark /> Fathom
      </a>
      {!isFile && here.page !== 'list' && (
        <a class="quiet-link" href="#/">
          <Icon name="back" /> Runs
        </a>
      )}
      <span class="grow" />
      {here.page === 'run' && !locked.value && (
        <button
          type="button"
          class="search-button"
          aria-label="Search this run"
          onClick={() => (searchOpen.value = true)}
        >
          <Icon name="search" /> <span>Search</span> <kbd>/</kbd>
        </button>
      )}
      <ThemeButton />
      <button
        type="button"
        class="icon-button"
        onClick={() => (helpOpen.value = true)}
        aria-label="Keys"
        title="Keys (?)"
      >
        ?
      </button>
    </header>
  );
}

const NEXT: Readonly<Record<Theme, Theme>> = { auto: 'dark', dark: 'light', light: 'auto' };
const ICONS = { auto: 'auto', light: 'sun', dark: 'moon' } as const;

function ThemeButton(): JSX.Element {
  const now = theme.value;
  const words = now === 'auto' ? 'as the system' : now;
  return (
    <button
      type="button"
      class="icon-button"
      onClick={() => setTheme(NEXT[now])}
      aria-label={`Theme: ${words}`}
      title={`Theme: ${words} (t)`}
    >
      <Icon name={ICONS[now]} />
    </button>
  );
}

/** Asks for the key of the server, once. */
function Lock(): JSX.Element {
  const [key, setKey] = useState('');
  const [wrong, setWrong] = useState(false);
  const open = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const opened = await openSession({ key }).catch(() => false);
    setWrong(!opened);
    if (opened) locked.value = false;
  };
  return (
    <form class="lock" onSubmit={(event) => void open(event as unknown as SubmitEvent)}>
      <h1>This server needs a key</h1>
      <p>
        Its key is in <code>FATHOM_SERVER_KEY</code> or in the file of <code>--keys</code>. The link that{' '}
        <code>fathom view</code> prints works once: run the command again for another.
      </p>
      <label>
        Key
        <input type="password" autocomplete="off" value={key} onInput={(event) => setKey(event.currentTarget.value)} />
      </label>
      <button type="submit" class="button primary" disabled={key === ''}>
        Open
      </button>
      {wrong && (
        <p class="notice error" role="alert">
          This is not a key of the server.
        </p>
      )}
    </form>
  );
}
