/**
 * The address of the page, in the hash of its URL: `#/`, `#/run/ID/turns/KEY`, `#/compare/A/B`.
 *
 * @module
 */
import { signal } from '@preact/signals';

export type ViewName = 'turns' | 'calls' | 'time';

export type Route =
  | { readonly page: 'list' }
  | {
      readonly page: 'run';
      readonly id: string;
      readonly view: ViewName;
      /** The handle of a run, turn, command or call. */
      readonly key: string | null;
    }
  | { readonly page: 'compare'; readonly ids: readonly [string, string] };

const VIEWS: ReadonlySet<string> = new Set(['turns', 'calls', 'time']);

export const route = signal<Route>(parseRoute(location.hash));

addEventListener('hashchange', () => {
  route.value = parseRoute(location.hash);
});

/** The route of a hash; anything unknown is the list. */
export function parseRoute(hash: string): Route {
  const [page = '', ...rest] = hash.replace(/^#\/?/, '').split('/').map(decoded);
  if (page === 'compare' && rest[0] && rest[1]) return { page, ids: [rest[0], rest[1]] };
  const [id = '', view = 'turns', ...key] = rest;
  if (page !== 'run' || id === '') return { page: 'list' };
  return {
    page,
    id,
    view: VIEWS.has(view) ? (view as ViewName) : 'turns',
    key: key.length === 0 ? null : key.join('/'),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // As it was typed.
  }
}

/** The link to a place of a run. */
export function runLink(id: string, view: ViewName = 'turns', key?: string | null): string {
  const place = key === undefined || key === null ? '' : `/${key.split('/').map(encodeURIComponent).join('/')}`;
  return `#/run/${encodeURIComponent(id)}/${view}${place}`;
}

export function compareLink(a: string, b: string): string {
  return `#/compare/${encodeURIComponent(a)}/${encodeURIComponent(b)}`;
}

/** Goes there. `replace`: without a step back to here. */
export function go(link: string, replace = false): void {
  if (replace) {
    history.replaceState(null, '', link);
    route.value = parseRoute(link);
  } else location.hash = link;
}

/** Where the handle of a run, turn, command or call is shown. */
export function linkOfKey(id: string, key: string): string {
  return runLink(id, /\/c\d+$/.test(key) ? 'calls' : 'turns', key);
}
