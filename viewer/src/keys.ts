/**
 * Keys of the whole page. Views have none of their own but the table of calls.
 *
 * @module
 */
import { helpOpen, searchOpen, setTheme, source, theme } from './app-state.ts';
import { isWriting } from './parts/reveal.ts';
import { go, route, runLink, type ViewName } from './route.ts';

const VIEWS: Readonly<Record<string, ViewName>> = { 1: 'turns', 2: 'calls', 3: 'time' };

/** Starts to listen. */
export function listenToKeys(): void {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) {
      if ((event.ctrlKey || event.metaKey) && event.key === 'k') openSearch(event);
      return;
    }
    if (event.key === 'Escape') onEscape(event);
    else if (!isWriting(event.target) && document.querySelector('dialog[open]') === null) onLetter(event);
  });
}

function onLetter(event: KeyboardEvent): void {
  const { key } = event;
  const view = VIEWS[key];
  const here = route.value;
  if (key === '?') helpOpen.value = true;
  else if (key === '/') openSearch(event);
  else if (key === 't') setTheme(theme.value === 'auto' ? 'dark' : theme.value === 'dark' ? 'light' : 'auto');
  else if (key === 'g' && source().kind === 'server') go('#/');
  else if (view !== undefined && here.page === 'run') go(runLink(here.id, view));
  else if (key === 'j' || key === 'k') step(key === 'j' ? 1 : -1);
  else if (key === 'o') open();
  else if (key === 'x') current()?.querySelector<HTMLElement>('input[type=checkbox]')?.click();
}

function openSearch(event: KeyboardEvent): void {
  event.preventDefault();
  if (route.value.page === 'run') searchOpen.value = true;
  else document.querySelector<HTMLElement>('.list-search')?.focus();
}

function onEscape(event: KeyboardEvent): void {
  const here = route.value;
  if (isWriting(event.target)) (event.target as HTMLElement).blur();
  else if (
    here.page === 'run' &&
    here.view === 'calls' &&
    here.key !== null &&
    document.querySelector('dialog[open]') === null
  ) {
    go(runLink(here.id, 'calls'), true);
    document.querySelector<HTMLElement>('.table-scroll')?.focus();
  }
}

const STOPS = '.view-turns .turns.level-0 > .turn, .run-rows > .run-row, .turn-pairs > li';

function stops(): readonly HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(STOPS)];
}

/** The turn or row that has the focus, or in which something has it. */
function current(): HTMLElement | undefined {
  return stops().find((stop) => stop.contains(document.activeElement));
}

function step(by: 1 | -1): void {
  const table = document.querySelector<HTMLElement>('.table-scroll, .time-scroll');
  if (table !== null) {
    table.focus({ preventScroll: true });
    if (table.matches('.time-scroll')) table.scrollBy({ top: 96 * by });
    return;
  }
  const all = stops();
  const now = current();
  const next = now === undefined ? all[by > 0 ? 0 : all.length - 1] : all[all.indexOf(now) + by];
  if (next === undefined) return;
  const inner = next.matches('.run-row') ? next.querySelector<HTMLElement>('.run-link') : next;
  if (inner === next) next.tabIndex = -1;
  inner?.focus({ preventScroll: true });
  next.scrollIntoView({ block: next.matches('.run-row') ? 'nearest' : 'start' });
}

function open(): void {
  const now = current();
  const link = now?.querySelector<HTMLElement>('.run-link');
  if (link != null) {
    link.click();
    return;
  }
  for (const child of now?.querySelectorAll<HTMLElement>(':scope > .command > .children > .child > .child-head') ?? [])
    child.click();
}
