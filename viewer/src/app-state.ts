import { signal } from '@preact/signals';
import type { Source } from './data/source.ts';

/** The one source of the page; set before anything is drawn. */
export const app: { source: Source | undefined } = { source: undefined };

/** @throws Error before the page has a source */
export function source(): Source {
  if (app.source === undefined) throw new Error('the page has no source yet');
  return app.source;
}

/** Light or dark as the system says, or as the user chose. */
export type Theme = 'auto' | 'light' | 'dark';

export const theme = signal<Theme>(storedTheme());
export const helpOpen = signal(false);
export const searchOpen = signal(false);
/** A sentence for screen readers and the corner of the page. */
export const message = signal('');
/** The server wants a key. */
export const locked = signal(false);

/** Applies and remembers the theme. */
export function setTheme(next: Theme): void {
  theme.value = next;
  if (next === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem('fathom-theme', next);
  } catch {
    // Files and private windows may have no storage: then the choice holds for this page.
  }
}

function storedTheme(): Theme {
  try {
    const stored = localStorage.getItem('fathom-theme');
    return stored === 'light' || stored === 'dark' ? stored : 'auto';
  } catch {
    return 'auto'; // No storage here.
  }
}

let timer: ReturnType<typeof setTimeout> | undefined;

/** Shows a sentence for a moment. */
export function say(text: string): void {
  message.value = text;
  clearTimeout(timer);
  timer = setTimeout(() => {
    message.value = '';
  }, 3_000);
}
