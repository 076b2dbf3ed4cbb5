import { EVENT_NAMES } from './event-names.ts';
import type { ListQuery, LiveEvent, Source } from './source.ts';
import { SourceError } from './source.ts';

/** Runs of the server that the page came from. */
export function httpSource(onRefused: () => void): Source {
  const get = async <T>(
    path: string,
    params: Readonly<Record<string, string>> = {},
    signal?: AbortSignal,
  ): Promise<T> => {
    const response = await request(`${path}?${new URLSearchParams(params)}`, signal === undefined ? {} : { signal });
    if (response.status === 401) onRefused();
    if (!response.ok) throw await errorOf(response);
    return (await (response.headers.get('content-type')?.startsWith('text/plain') === true
      ? response.text()
      : response.json())) as T;
  };
  const run = (id: string, part: string): string => `/v1/runs/${encodeURIComponent(id)}/${part}`;
  return {
    kind: 'server',
    only: null,
    list: ({ text, status, before }: ListQuery) =>
      get('/v1/run-briefs', {
        ...(text !== '' && { text }),
        ...(status !== '' && { status }),
        ...(before && { before }),
      }),
    overview: (id) => get(run(id, 'overview')),
    runs: (id, from) => get(run(id, 'tree'), { from: String(from) }),
    turns: (id, of, from) => get(run(id, 'turns'), { of, from: String(from) }),
    calls: (id, from) => get(run(id, 'calls'), { from: String(from) }),
    text: (id, ref) => get(run(id, 'text'), { ref }),
    search: (id, words, signal) => get(run(id, 'search'), { q: words }, signal),
    follow: (id, onEvent, onState) => follow(run(id, 'events'), onEvent, onState),
    async act(id, action) {
      const response = await request(run(id, action), { method: 'POST' });
      if (!response.ok) throw await errorOf(response);
    },
  };
}

/** Opens the session of the page: with the token of its link, with a key, or with neither where none is asked for. */
export async function openSession(secret: { readonly token?: string; readonly key?: string }): Promise<boolean> {
  const response = await request('/page/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(secret),
  });
  return response.ok;
}

/** Whether the page has a session. */
export async function hasSession(): Promise<boolean> {
  return (await request('/page/session', {})).ok;
}

async function request(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { ...init, credentials: 'same-origin', cache: 'no-store' });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new SourceError('The server does not answer. It may have been stopped.', 0);
  }
}

async function errorOf(response: Response): Promise<SourceError> {
  const body = (await response.json().catch(() => undefined)) as
    | { readonly error?: { readonly message?: string } }
    | undefined;
  return new SourceError(body?.error?.message ?? `The server answered ${response.status}.`, response.status);
}

function follow(path: string, onEvent: (event: LiveEvent) => void, onState: (connected: boolean) => void): () => void {
  const stream = new EventSource(path);
  const take = ({ data }: MessageEvent<string>): void => {
    const event = JSON.parse(data) as LiveEvent;
    onEvent(event);
    // The server closes the stream after it; the browser would connect again.
    if (event.type === 'run.completed') stream.close();
  };
  for (const name of EVENT_NAMES) stream.addEventListener(name, take);
  stream.onopen = () => onState(true);
  stream.onerror = () => onState(false);
  return () => stream.close();
}
