import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { duration } from '../../../src/cli/screen/figures.ts';
import { theme } from '../app-state.ts';
import type { RunState } from '../data/run-state.ts';
import type { CallLine, Overview } from '../data/source.ts';
import { dollars } from '../parts/facts.tsx';
import { Icon } from '../parts/icons.tsx';
import { VirtualRows } from '../parts/virtual-rows.tsx';
import { linkOfKey, runLink } from '../route.ts';
import { lanesOf, type TimeRow, timeRows } from './time-rows.ts';

const ROW_HEIGHT = 32;

/** A timeline of turns, cells, calls and children: where time and money went, and what waited for what. */
export function Time({ state, overview }: { readonly state: RunState; readonly overview: Overview }): JSX.Element {
  const root = overview.facts.id;
  useEffect(() => {
    state.wantCalls();
    state.wantTurns(rootOf(state) ?? root);
  }, [state, root]);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const calls = state.calls.value;
  const callsOf = useMemo(() => Map.groupBy(calls ?? [], ({ key }) => key.replace(/\/c\d+$/, '')), [calls]);
  const runs = state.runs.value;
  const span = overview.spanMs;
  const first = rootOf(state) ?? root;
  const turns = new Map([first, ...open].map((run) => [run, state.turns(run).value]));
  const rows = useMemo(
    () => timeRows({ root: first, runs, turnsOf: (run) => turns.get(run) ?? null, callsOf, open, span }),
    [first, runs, callsOf, open, span, ...turns.values()],
  );
  const most = rows.reduce((usd, row) => Math.max(usd, row.costUsd ?? 0), 0);
  const toggle = (id: string): void => {
    state.wantTurns(id);
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  const scroller = useRef<HTMLDivElement>(null);
  if (calls === null) return <p class="quiet">Loading the timeline…</p>;
  return (
    <div class="time">
      <ul class="legend" aria-label="Colours of the timeline">
        <li class="k-start">REPL and context</li>
        <li class="k-model">the model writes</li>
        <li class="k-code">a cell runs</li>
        <li class="k-wait">it waits for sub-calls</li>
        <li class="k-calls">sub-calls in flight</li>
        <li class="k-child">a child run</li>
      </ul>
      <div
        class="time-scroll"
        ref={scroller}
        tabIndex={0}
        role="table"
        aria-label="Timeline"
        aria-rowcount={rows.length}
        style={{ maxHeight: `${(rows.length + 1) * ROW_HEIGHT + 12}px` }}
      >
        <div class="time-row head" role="row">
          <div class="time-name" role="columnheader">
            Step
          </div>
          <div class="time-axis" role="columnheader" aria-label="Time from the start">
            {ticksOf(span).map((at) => (
              <span key={at} style={{ left: `${(100 * at) / span}%` }}>
                {duration(at)}
              </span>
            ))}
          </div>
          <div class="time-cost" role="columnheader">
            Cost
          </div>
          <div class="time-took" role="columnheader">
            Time
          </div>
        </div>
        <VirtualRows
          count={rows.length}
          rowHeight={ROW_HEIGHT}
          scroller={scroller}
          role="rowgroup"
          draw={(from, to) =>
            rows
              .slice(from, to)
              .map((row, index) => (
                <Row
                  key={index}
                  row={row}
                  index={from + index}
                  span={span}
                  most={most}
                  run={state.id}
                  toggle={toggle}
                />
              ))
          }
        />
      </div>
    </div>
  );
}

/** The root run; its id differs from that of the page for a file. */
export function rootOf(state: RunState): string | undefined {
  return state.runs.value.keys().next().value;
}

/** Round moments on the axis. */
export function ticksOf(span: number): readonly number[] {
  const rough = span / 5;
  const unit = 10 ** Math.floor(Math.log10(Math.max(rough, 1e-9)));
  const step = [1, 2, 5, 10].map((factor) => factor * unit).find((each) => each >= rough) ?? rough;
  const ticks: number[] = [];
  for (let at = 0; at <= span * 0.97; at += step) ticks.push(at);
  return ticks;
}

interface RowProps {
  readonly row: TimeRow;
  readonly index: number;
  readonly span: number;
  /** US dollars of the dearest row. */
  readonly most: number;
  /** The run of the page. */
  readonly run: string;
  readonly toggle: (id: string) => void;
}

function Row({ row, index, span, most, run, toggle }: RowProps): JSX.Element {
  const { kind, level, name, bars, calls, costUsd, ms, failed, waits } = row;
  return (
    <div class={`time-row row-${kind} ${failed ? 'has-failed' : ''}`} role="row" aria-rowindex={index + 1}>
      <div class="time-name" role="rowheader" style={{ paddingLeft: `${8 + 14 * Math.min(level, 6)}px` }}>
        <Name row={row} run={run} toggle={toggle} />
      </div>
      <div class="time-lane" role="cell" title={waits ?? `${name}: ${ms === null ? 'not ended' : duration(ms)}`}>
        {calls !== undefined && <Strip calls={calls} span={span} label={waits ?? ''} />}
        {bars.map((bar) => (
          <span
            key={`${bar.kind}${bar.at}`}
            class={`seg k-${bar.kind}`}
            style={{ left: `${(100 * bar.at) / span}%`, width: `${(100 * bar.ms) / span}%` }}
          />
        ))}
      </div>
      <div class="time-cost" role="cell">
        {costUsd !== null && costUsd > 0 && (
          <>
            <span class="share" style={{ width: `${most === 0 ? 0 : Math.max(2, (100 * costUsd) / most)}%` }} />
            <span class="share-words">{dollars(costUsd)}</span>
          </>
        )}
      </div>
      <div class="time-took" role="cell">
        {ms === null ? '—' : duration(ms)}
      </div>
    </div>
  );
}

function Name({ row, run, toggle }: Pick<RowProps, 'row' | 'run' | 'toggle'>): JSX.Element {
  const { kind, name, run: child, isOpen, key } = row;
  if (child !== undefined) {
    return (
      <button type="button" class="time-child" aria-expanded={isOpen} onClick={() => toggle(child)}>
        <Icon name="chevron" />
        <span>{name}</span>
      </button>
    );
  }
  if (kind === 'start' || kind === 'beside') return <span>{name}</span>;
  const href = kind === 'calls' ? runLink(run, 'calls', key.replace(/\/calls$/, '')) : linkOfKey(run, key);
  return <a href={href}>{name}</a>;
}

/** Calls in flight, one line each: thousands are one picture. */
function Strip({
  calls,
  span,
  label,
}: {
  readonly calls: readonly CallLine[];
  readonly span: number;
  readonly label: string;
}): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shade = theme.value;
  useEffect(() => {
    const board = canvas.current;
    if (board === null) return undefined;
    const draw = (): void => drawCalls(board, calls, span);
    const watch = new ResizeObserver(draw);
    watch.observe(board);
    return () => watch.disconnect();
  }, [calls, span, shade]);
  return <canvas class="strip" ref={canvas} role="img" aria-label={label} />;
}

function drawCalls(board: HTMLCanvasElement, calls: readonly CallLine[], span: number): void {
  const { clientWidth: width, clientHeight: height } = board;
  const ratio = devicePixelRatio;
  board.width = Math.max(1, Math.round(width * ratio));
  board.height = Math.max(1, Math.round(height * ratio));
  const pen = board.getContext('2d');
  if (pen === null) return;
  pen.scale(ratio, ratio);
  const style = getComputedStyle(board);
  const [good, bad] = [style.getPropertyValue('--calls'), style.getPropertyValue('--bad')];
  const { lanes, count } = lanesOf(calls);
  const lane = height / Math.max(1, count);
  const thick = Math.max(0.5, Math.min(4, lane * 0.75));
  calls.forEach(({ at, ms, ok }, index) => {
    pen.fillStyle = ok === false ? bad : good;
    const x = (at / span) * width;
    pen.fillRect(x, (lanes[index] ?? 0) * lane + (lane - thick) / 2, Math.max(1.2, ((ms ?? 0) / span) * width), thick);
  });
}
