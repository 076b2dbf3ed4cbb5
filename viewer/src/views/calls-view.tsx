import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { compact } from '../../../src/cli/screen/figures.ts';
import type { RunState } from '../data/run-state.ts';
import type { CallLine } from '../data/source.ts';
import { dollars } from '../parts/facts.tsx';
import { go, runLink } from '../route.ts';
import { CallPanel } from './call-panel.tsx';
import { CallRows } from './call-rows.tsx';
import { type CallFilter, type Order, selectCalls } from './call-table.ts';

export interface CallsProps {
  readonly state: RunState;
  /** The handle of a call, or of the command or run whose calls are wanted. */
  readonly target: string | null;
}

/** Every sub-call of the tree, in a table that draws the rows in sight only. */
export function Calls({ state, target }: CallsProps): JSX.Element {
  useEffect(() => state.wantCalls(), [state]);
  const isCall = target !== null && /\/c\d+$/.test(target);
  const [below, setBelow] = useState<string | null>(isCall ? null : target);
  useEffect(() => {
    if (!isCall) setBelow(target);
  }, [target, isCall]);
  const [words, setWords] = useState('');
  const [status, setStatus] = useState<CallFilter['status']>('');
  const [model, setModel] = useState('');
  const [order, setOrder] = useState<Order>({ column: 'place', down: false });
  const calls = state.calls.value;
  const rows = useMemo(
    () => selectCalls(calls ?? [], { words, status, model, below }, order),
    [calls, words, status, model, below, order],
  );
  const places = useMemo(() => new Map((calls ?? []).map(({ key }, index) => [key, index + 1])), [calls]);
  const models = useMemo(() => [...new Set((calls ?? []).map((call) => call.model))].sort(), [calls]);
  if (calls === null) return <p class="quiet">Loading calls…</p>;
  if (calls.length === 0) return <p class="empty">This run made no sub-calls.</p>;
  const selected = isCall ? rows.findIndex(({ key }) => key === target) : -1;
  const found = isCall ? calls.find(({ key }) => key === target) : undefined;
  const select = (call: CallLine | undefined): void => go(runLink(state.id, 'calls', call?.key ?? below), true);
  return (
    <div class={`calls ${found === undefined ? '' : 'with-panel'}`}>
      <div class="calls-main">
        <div class="toolbar">
          <input
            type="search"
            placeholder="Filter calls"
            aria-label="Filter calls by words"
            value={words}
            onInput={(event) => setWords(event.currentTarget.value)}
          />
          <select
            aria-label="Filter calls by status"
            value={status}
            onChange={(event) => setStatus(event.currentTarget.value as CallFilter['status'])}
          >
            <option value="">Any status</option>
            <option value="ok">Ok</option>
            <option value="failed">Failed</option>
            <option value="open">Open</option>
            <option value="child">Child runs</option>
          </select>
          {models.length > 1 && (
            <select
              aria-label="Filter calls by model"
              value={model}
              onChange={(event) => setModel(event.currentTarget.value)}
            >
              <option value="">Any model</option>
              {models.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          )}
          {below !== null && (
            <button type="button" class="chip" onClick={() => go(runLink(state.id, 'calls'), true)}>
              of {below.split('/').slice(1).join(' ') || 'one run'} <span aria-hidden="true">×</span>
              <span class="sr">remove this filter</span>
            </button>
          )}
          <span class="grow" />
          <Sums rows={rows} all={calls.length} done={state.callsDone.value} />
        </div>
        <CallRows rows={rows} places={places} order={order} setOrder={setOrder} selected={selected} select={select} />
      </div>
      {found !== undefined && (
        <CallPanel
          key={found.key}
          state={state}
          call={found}
          place={places.get(found.key) ?? 0}
          onClose={() => select(undefined)}
        />
      )}
    </div>
  );
}

/** Flat calls only: a child's cost is that of its own calls. */
function Sums({
  rows,
  all,
  done,
}: {
  readonly rows: readonly CallLine[];
  readonly all: number;
  readonly done: boolean;
}): JSX.Element {
  const flat = rows.filter(({ child }) => child === null);
  const tokens = flat.reduce((sum, { inputTokens, outputTokens }) => sum + inputTokens + outputTokens, 0);
  const cost = flat.reduce<number | null>(
    (sum, { costUsd }) => (sum === null || costUsd === null ? null : sum + costUsd),
    0,
  );
  return (
    <span class="sums" role="status">
      {rows.length === all ? '' : `${rows.length.toLocaleString('en')} of `}
      {all.toLocaleString('en')} {all === 1 ? 'call' : 'calls'}
      {!done && ' so far'} · {compact(tokens)} tokens · {cost === null ? 'cost unknown' : dollars(cost)}
    </span>
  );
}
