import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { compact, duration } from '../../../src/cli/screen/figures.ts';
import type { CallLine } from '../data/source.ts';
import { Cost, dollars } from '../parts/facts.tsx';
import { isWriting } from '../parts/reveal.ts';
import { VirtualRows } from '../parts/virtual-rows.tsx';
import { type Column, cellOf, type Order, statusOf } from './call-table.ts';

const ROW_HEIGHT = 36;

const COLUMNS: readonly { readonly id: Column; readonly name: string; readonly number?: true }[] = [
  { id: 'place', name: '#', number: true },
  { id: 'cell', name: 'Cell' },
  { id: 'prompt', name: 'Prompt' },
  { id: 'reply', name: 'Reply' },
  { id: 'model', name: 'Model' },
  { id: 'tokens', name: 'Tokens', number: true },
  { id: 'cost', name: 'Cost', number: true },
  { id: 'time', name: 'Time', number: true },
  { id: 'tries', name: 'Tries', number: true },
  { id: 'status', name: 'Status' },
];

export interface CallRowsProps {
  readonly rows: readonly CallLine[];
  readonly places: ReadonlyMap<string, number>;
  readonly order: Order;
  readonly setOrder: (order: Order) => void;
  readonly selected: number;
  readonly select: (call: CallLine | undefined) => void;
}

/** The table of calls: the head, and the rows in sight. */
export function CallRows({ rows, places, order, setOrder, selected, select }: CallRowsProps): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = scroller.current;
    if (box === null || selected < 0) return;
    const top = selected * ROW_HEIGHT;
    if (top < box.scrollTop || top + 2 * ROW_HEIGHT > box.scrollTop + box.clientHeight)
      box.scrollTop = top - 4 * ROW_HEIGHT;
  }, [selected]);
  const onKey = (event: KeyboardEvent): void => {
    if (isWriting(event.target)) return;
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Number.isFinite(step)
      ? Math.max(0, selected) + (selected < 0 && step > 0 ? 0 : step)
      : step > 0
        ? rows.length - 1
        : 0;
    const row = rows[Math.min(rows.length - 1, Math.max(0, next))];
    if (row !== undefined) select(row);
  };
  return (
    <div
      class="table-scroll"
      ref={scroller}
      tabIndex={0}
      onKeyDown={onKey}
      role="table"
      aria-label="Sub-calls"
      aria-rowcount={rows.length + 1}
      style={{ maxHeight: `${(rows.length + 1) * ROW_HEIGHT + 8}px` }}
    >
      <div class="call-row head" role="row" aria-rowindex={1}>
        {COLUMNS.map(({ id, name, number }) => (
          <div
            class={`cell ${id} ${number === true ? 'number' : ''}`}
            role="columnheader"
            aria-sort={sortOf(order, id)}
            key={id}
          >
            <button
              type="button"
              onClick={() =>
                setOrder({ column: id, down: order.column === id ? !order.down : number === true && id !== 'place' })
              }
            >
              {name}
              <span class="arrow" aria-hidden="true">
                {order.column === id ? (order.down ? '↓' : '↑') : ''}
              </span>
            </button>
          </div>
        ))}
      </div>
      {rows.length === 0 && (
        <div role="row">
          <div role="cell" class="empty">
            No call matches the filter.
          </div>
        </div>
      )}
      <VirtualRows
        count={rows.length}
        rowHeight={ROW_HEIGHT}
        scroller={scroller}
        role="rowgroup"
        draw={(from, to) =>
          rows
            .slice(from, to)
            .map((call, index) => (
              <Row
                key={index}
                call={call}
                index={from + index}
                place={places.get(call.key) ?? 0}
                selected={from + index === selected}
                select={select}
              />
            ))
        }
      />
    </div>
  );
}

const STEPS: Readonly<Record<string, number>> = {
  ...{ ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 15, PageUp: -15 },
  ...{ Home: Number.NEGATIVE_INFINITY, End: Number.POSITIVE_INFINITY },
};

function sortOf({ column, down }: Order, id: Column): 'ascending' | 'descending' | 'none' {
  if (column !== id) return 'none';
  return down ? 'descending' : 'ascending';
}

interface RowProps {
  readonly call: CallLine;
  readonly index: number;
  readonly place: number;
  readonly selected: boolean;
  readonly select: CallRowsProps['select'];
}

function Row({ call, index, place, selected, select }: RowProps): JSX.Element {
  const { tone, words } = statusOf(call);
  const { prompt, reply, model, inputTokens, outputTokens, costUsd, ms, attempts, depth } = call;
  return (
    // The button of the row does the same for the keyboard.
    <div
      class={`call-row ${selected ? 'selected' : ''} ${tone}`}
      role="row"
      aria-rowindex={index + 2}
      onClick={() => select(selected ? undefined : call)}
    >
      <div class="cell place number" role="cell">
        <button type="button" aria-label={`Open call ${place}`} tabIndex={-1}>
          {place}
        </button>
      </div>
      <div class="cell cell-id" role="cell">
        {'› '.repeat(depth)}
        {cellOf(call)}
      </div>
      <div class="cell prompt" role="cell">
        {prompt}
      </div>
      <div class={`cell reply ${tone === 'bad' ? 'bad-text' : ''}`} role="cell">
        {reply}
      </div>
      <div class="cell model" role="cell" title={model}>
        {model.split(/[/#]/).at(-1)}
      </div>
      <div class="cell tokens number" role="cell" title={`${inputTokens} in, ${outputTokens} out`}>
        {compact(inputTokens + outputTokens)}
      </div>
      <div class="cell cost number" role="cell">
        {costUsd === null ? <Cost usd={null} /> : dollars(costUsd)}
      </div>
      <div class="cell time number" role="cell">
        {ms === null ? '—' : duration(ms)}
      </div>
      <div class={`cell tries number ${attempts > 1 ? 'warn-text' : ''}`} role="cell">
        {attempts === 0 ? '' : attempts}
      </div>
      <div class="cell status" role="cell">
        <span class={`outcome ${tone}`}>{words}</span>
      </div>
    </div>
  );
}
