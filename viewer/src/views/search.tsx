import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { searchOpen, source } from '../app-state.ts';
import type { Match, Matches } from '../data/source.ts';
import { go, linkOfKey } from '../route.ts';

/** Milliseconds without a further letter before a search begins. */
const WAIT_MS = 150;

/** Finds words in every text of a run. */
export function Search({ run }: { readonly run: string }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const [words, setWords] = useState('');
  const { found, busy, failure } = useMatches(run, words);
  const [at, setAt] = useState(0);
  useLayoutEffect(() => {
    dialog.current?.showModal();
  }, []);
  useEffect(() => setAt(0), [found]);
  const items = found?.items ?? [];
  const close = (): void => {
    searchOpen.value = false;
  };
  const open = (match: Match | undefined): void => {
    if (match === undefined) return;
    close();
    go(linkOfKey(run, match.key));
  };
  const onKey = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setAt(Math.max(0, Math.min(items.length - 1, at + step)));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      open(items[at]);
    }
  };
  useEffect(() => {
    dialog.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [at]);
  return (
    <dialog
      class="search"
      ref={dialog}
      onClose={close}
      aria-label="Search this run"
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div class="search-box" onKeyDown={onKey}>
        <input
          type="text"
          autofocus
          placeholder="Search every text of this run"
          aria-label="Search every text of this run"
          role="combobox"
          aria-expanded={items.length > 0}
          aria-controls="matches"
          aria-activedescendant={items.length > 0 ? `match-${at}` : undefined}
          value={words}
          onInput={(event) => setWords(event.currentTarget.value)}
        />
        <p class="quiet" role="status">
          {failure !== '' ? failure : statusWords(words, busy, found)}
        </p>
        <ul id="matches" role="listbox" aria-label="Places">
          {items.map((match, index) => (
            <li
              key={match.ref}
              id={`match-${index}`}
              role="option"
              aria-selected={index === at}
              onClick={() => open(match)}
              onMouseMove={() => setAt(index)}
            >
              <span class="match-place">
                {placeOf(match.key)} <span class="quiet">{match.field}</span>
              </span>
              <span class="match-text">
                {match.before}
                <mark>{match.hit}</mark>
                {match.after}
              </span>
            </li>
          ))}
        </ul>
      </div>
    </dialog>
  );
}

function useMatches(
  run: string,
  words: string,
): { readonly found: Matches | null; readonly busy: boolean; readonly failure: string } {
  const [found, setFound] = useState<Matches | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState('');
  useEffect(() => {
    if (words.trim().length < 2) {
      setFound(null);
      setBusy(false);
      return undefined;
    }
    const stop = new AbortController();
    setBusy(true);
    const timer = setTimeout(async () => {
      try {
        setFound(await source().search(run, words, stop.signal));
        setFailure('');
      } catch (error) {
        if (!stop.signal.aborted) setFailure(error instanceof Error ? error.message : String(error));
      } finally {
        if (!stop.signal.aborted) setBusy(false);
      }
    }, WAIT_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [run, words]);
  return { found, busy, failure };
}

function statusWords(words: string, busy: boolean, found: Matches | null): string {
  if (words.trim().length < 2) return 'Questions, answers, code, output, prompts and replies, at any depth.';
  if (busy || found === null) return 'Searching…';
  if (found.items.length === 0) return 'No text has these words.';
  return `${found.items.length}${found.more ? ' or more' : ''} ${found.items.length === 1 ? 'place' : 'places'}`;
}

/** `turn 3`, `t3.0`, `t3.0 call 13`; a run alone is its question or answer. */
function placeOf(key: string): string {
  const [, part = '', call = ''] = key.split('/');
  if (part === '') return 'run';
  const name = part.includes('.') ? part : `turn ${part.slice(1)}`;
  return call === '' ? name : `${name} call ${Number(call.slice(1)) + 1}`;
}
