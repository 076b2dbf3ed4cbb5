import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { counted, duration } from '../../../src/cli/screen/figures.ts';
import { source } from '../app-state.ts';
import type { RunBrief } from '../data/source.ts';
import { Cost, Outcome, Tokens, When } from '../parts/facts.tsx';
import { compareLink, go, runLink } from '../route.ts';

const STATUSES = ['queued', 'running', 'completed', 'interrupted', 'paused', 'failed', 'aborted'] as const;

/** Milliseconds between two looks at a list that has a run at work, and at one that has none: a run may start elsewhere. */
const LOOK_MS = 2_000;
const IDLE_LOOK_MS = 5_000;
/** Runs in the first page of a list. Only this page is read again: older runs do not change. */
const FIRST_PAGE = 50;

/** Every run, newest first. `compareWith`: a run that is compared with the one that is picked. */
export function RunsList({ compareWith }: { readonly compareWith: string | null }): JSX.Element {
  const [text, setText] = useState('');
  const [status, setStatus] = useState('');
  const { runs, more, failure, loadMore } = useRuns(text, status);
  const [picked, setPicked] = useState<readonly string[]>(compareWith === null ? [] : [compareWith]);
  useEffect(() => {
    document.title = 'Runs · Fathom';
  }, []);
  const pick = (id: string): void => {
    const next = picked.includes(id) ? picked.filter((each) => each !== id) : [...picked, id].slice(-2);
    setPicked(next);
  };
  const [a, b] = picked;
  return (
    <section class="list" aria-label="Runs">
      <header class="list-head">
        <h1>Runs</h1>
        <input
          type="search"
          class="list-search"
          placeholder="Search questions and answers"
          aria-label="Search questions and answers"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </header>
      <div class="chips" role="group" aria-label="Filter by status">
        {['', ...STATUSES].map((each) => (
          <button key={each} type="button" class="chip" aria-pressed={status === each} onClick={() => setStatus(each)}>
            {each === '' ? 'all' : each}
          </button>
        ))}
        <span class="grow" />
        {a !== undefined && (
          <span class="compare-bar" role="status">
            {b === undefined ? 'Pick a second run to compare.' : 'Two runs are picked.'}{' '}
            {b !== undefined && (
              <button type="button" class="button" onClick={() => go(compareLink(a, b))}>
                Compare
              </button>
            )}{' '}
            <button type="button" class="link" onClick={() => setPicked([])}>
              Clear
            </button>
          </span>
        )}
      </div>
      {failure !== '' && (
        <p class="notice error" role="alert">
          {failure}
        </p>
      )}
      {runs === null ? (
        failure === '' && <p class="quiet">Loading runs…</p>
      ) : runs.length === 0 ? (
        <Empty filtered={text !== '' || status !== ''} />
      ) : (
        <ol class="run-rows">
          {runs.map((run) => (
            <Row key={run.id} run={run} picked={picked.includes(run.id)} pick={pick} />
          ))}
        </ol>
      )}
      {more && (
        <button type="button" class="button" onClick={loadMore}>
          Show older runs
        </button>
      )}
    </section>
  );
}

function Empty({ filtered }: { readonly filtered: boolean }): JSX.Element {
  if (filtered) return <p class="empty">No run matches.</p>;
  return (
    <div class="empty">
      <p>There are no runs yet.</p>
      <pre>fathom ask "Who wrote the letter in chapter 3?" -f novel.txt</pre>
    </div>
  );
}

interface RowProps {
  readonly run: RunBrief;
  readonly picked: boolean;
  readonly pick: (id: string) => void;
}

function Row({ run, picked, pick }: RowProps): JSX.Element {
  const { id, status, outcome, stop, query, answer, createdAt, turns, subCalls, tokens, costUsd, elapsedMs, model } =
    run;
  return (
    <li class={`run-row ${picked ? 'picked' : ''}`}>
      <label class="pick">
        <input type="checkbox" checked={picked} onChange={() => pick(id)} />
        <span class="sr">Pick for comparison: {query.slice(0, 80)}</span>
      </label>
      <a class="run-link" href={runLink(id)}>
        <span class="run-query">{query}</span>
        {answer !== '' && <span class="run-answer">{answer.replace(/\*\*|`/g, '')}</span>}
        <span class="run-meta">
          <Outcome status={status} outcome={outcome} />
          {stop !== null && outcome !== 'converged' && <span>{stop}</span>}
          <span>{model}</span>
          <span>{counted(turns, 'turn')}</span>
          {subCalls > 0 && <span>{counted(subCalls, 'sub-call')}</span>}
          <Tokens count={tokens} />
          <When time={createdAt} />
        </span>
      </a>
      <span class="run-figures">
        <Cost usd={costUsd} />
        <span class="took">{elapsedMs === null ? (status === 'running' ? 'at work' : '—') : duration(elapsedMs)}</span>
      </span>
    </li>
  );
}

interface LoadedRuns {
  readonly runs: readonly RunBrief[] | null;
  readonly more: boolean;
  readonly failure: string;
  readonly loadMore: () => void;
}

function useRuns(text: string, status: string): LoadedRuns {
  const [runs, setRuns] = useState<readonly RunBrief[] | null>(null);
  const [more, setMore] = useState(false);
  const [failure, setFailure] = useState('');
  const asked = useRef(0);
  const load = async (older: readonly RunBrief[]): Promise<void> => {
    const turn = ++asked.current;
    const before = older.at(-1)?.id;
    try {
      const page = await source().list({ text, status, ...(before !== undefined && { before }) });
      if (turn !== asked.current) return;
      setRuns([...older, ...page.items]);
      setMore(page.more);
      setFailure('');
    } catch (error) {
      if (turn === asked.current) setFailure(error instanceof Error ? error.message : String(error));
    }
  };
  useEffect(() => {
    const timer = setTimeout(() => void load([]), text === '' ? 0 : 150);
    return () => clearTimeout(timer);
  }, [text, status]);
  const isLive = runs?.some((run) => run.status === 'running') === true;
  useEffect(() => {
    if (runs === null || runs.length > FIRST_PAGE) return undefined;
    const look = (): void => {
      if (!document.hidden) void load([]);
    };
    const timer = setInterval(look, isLive ? LOOK_MS : IDLE_LOOK_MS);
    return () => clearInterval(timer);
  }, [isLive, text, status, runs === null || runs.length > FIRST_PAGE]);
  return { runs, more, failure, loadMore: () => void load(runs ?? []) };
}
