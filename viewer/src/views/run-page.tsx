import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { counted } from '../../../src/cli/screen/figures.ts';
import { say, searchOpen, source } from '../app-state.ts';
import { openRun, type RunState } from '../data/run-state.ts';
import type { Overview } from '../data/source.ts';
import { Cost, Outcome, Tokens, Took } from '../parts/facts.tsx';
import { Icon } from '../parts/icons.tsx';
import { type Route, runLink, type ViewName } from '../route.ts';
import { Calls } from './calls-view.tsx';
import { Head } from './run-head.tsx';
import { Search } from './search.tsx';
import { rootOf, Time } from './time-view.tsx';
import { Turns } from './turns-view.tsx';

type RunRoute = Extract<Route, { page: 'run' }>;

/** One run: question, answer, its facts, and three views of its tree. */
export function RunPage({ route }: { readonly route: RunRoute }): JSX.Element {
  const { id } = route;
  const state = useMemo(() => openRun(id, source()), [id]);
  useEffect(() => () => state.close(), [state]);
  const overview = state.overview.value;
  const error = state.error.value;
  useEffect(() => {
    document.title = overview === null ? 'Fathom' : `${overview.query.text.slice(0, 60)} · Fathom`;
  }, [overview]);
  if (overview === null)
    return error === null ? <p class="quiet page-note">Loading the run…</p> : <Failed message={error} />;
  return (
    <article class="run">
      <RunBar state={state} overview={overview} />
      {error !== null && (
        <p class="notice error" role="alert">
          {error} The page shows the run as it was last read.
        </p>
      )}
      <Head state={state} overview={overview} />
      <Tabs id={id} view={route.view} overview={overview} />
      <section class={`view view-${route.view}`} aria-label={NAMES[route.view]}>
        {route.view === 'turns' && <TurnsOfRoot state={state} target={route.key} />}
        {route.view === 'calls' && <Calls state={state} target={route.key} />}
        {route.view === 'time' && <Time state={state} overview={overview} />}
      </section>
      {searchOpen.value && <Search run={id} />}
    </article>
  );
}

const NAMES: Readonly<Record<ViewName, string>> = { turns: 'Turns', calls: 'Calls', time: 'Time' };

function TurnsOfRoot({ state, target }: { readonly state: RunState; readonly target: string | null }): JSX.Element {
  const root = rootOf(state);
  if (root === undefined) return <p class="quiet">Loading turns…</p>;
  return <Turns state={state} run={root} target={target} level={0} />;
}

/** Cost and time, always in sight. */
function RunBar({ state, overview }: { readonly state: RunState; readonly overview: Overview }): JSX.Element {
  const { facts, query } = overview;
  const isLive = state.live.value;
  return (
    <div class="run-bar">
      <span class="run-bar-query">{query.text}</span>
      <span class="run-bar-facts">
        <Outcome status={facts.status} outcome={facts.outcome} />
        <Cost usd={facts.costUsd} />
        {isLive ? <Clock since={overview.startedAt} /> : <Took ms={facts.elapsedMs} />}
        <Tokens count={facts.inputTokens + facts.outputTokens} />
      </span>
      {isLive && <Actions state={state} />}
    </div>
  );
}

/** The time that a run at work has taken. */
function Clock({ since }: { readonly since: string }): JSX.Element {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return <Took ms={Math.max(0, now - Date.parse(since))} />;
}

function Actions({ state }: { readonly state: RunState }): JSX.Element {
  const [busy, setBusy] = useState(false);
  const act = async (action: 'cancel' | 'finish'): Promise<void> => {
    setBusy(true);
    try {
      await state.act(action);
      say(action === 'cancel' ? 'The run was cancelled.' : 'The run was asked for its best answer.');
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <span class="actions">
      {!state.connected.value && <span class="warn-text">connecting again…</span>}
      <button
        type="button"
        class="button"
        disabled={busy}
        onClick={() => void act('finish')}
        title="Ask for the best answer now"
      >
        Finish
      </button>
      <button
        type="button"
        class="button danger"
        disabled={busy}
        onClick={() => void act('cancel')}
        title="Stop the run now"
      >
        Cancel
      </button>
    </span>
  );
}

function Tabs({
  id,
  view,
  overview,
}: {
  readonly id: string;
  readonly view: ViewName;
  readonly overview: Overview;
}): JSX.Element {
  const { counts } = overview;
  const self = useRef<HTMLElement>(null);
  const first = useRef(view);
  useEffect(() => {
    if (first.current !== view) self.current?.scrollIntoView({ block: 'start' });
    first.current = view;
  }, [view]);
  const tabs: readonly { readonly id: ViewName; readonly count: string }[] = [
    { id: 'turns', count: String(overview.facts.turns) },
    { id: 'calls', count: (counts.calls + counts.runs - 1).toLocaleString('en') },
    { id: 'time', count: '' },
  ];
  return (
    <nav class="tabs" ref={self} aria-label="Views of the run">
      {tabs.map(({ id: name, count }) => (
        <a key={name} href={runLink(id, name)} aria-current={name === view ? 'page' : undefined}>
          {NAMES[name]} {count !== '' && <span class="count">{count}</span>}
        </a>
      ))}
      <span class="grow" />
      {counts.runs > 1 && <span class="quiet">{counted(counts.runs - 1, 'child run')}</span>}
      {counts.failedCalls > 0 && <span class="bad-text">{counted(counts.failedCalls, 'failed call')}</span>}
      {source().kind === 'server' && (
        <a class="quiet-link" href={`#/?compare=${encodeURIComponent(id)}`} title="Compare with another run">
          <Icon name="compare" /> Compare
        </a>
      )}
    </nav>
  );
}

function Failed({ message }: { readonly message: string }): JSX.Element {
  return (
    <div class="page-note" role="alert">
      <h1>This run cannot be shown</h1>
      <p>{message}</p>
      <p>
        <a href="#/">All runs</a>
      </p>
    </div>
  );
}
