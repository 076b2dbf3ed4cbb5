import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { compact, counted, duration } from '../../../src/cli/screen/figures.ts';
import type { RunState } from '../data/run-state.ts';
import type { CommandView, RunLine } from '../data/source.ts';
import { Anchor, CopyButton } from '../parts/buttons.tsx';
import { LongText } from '../parts/cut-text.tsx';
import { Cost, Outcome, Took } from '../parts/facts.tsx';
import { Icon } from '../parts/icons.tsx';
import { reveal } from '../parts/reveal.ts';
import { runLink } from '../route.ts';
import { Turns } from './turns-view.tsx';

export interface CommandProps {
  readonly state: RunState;
  readonly command: CommandView;
  readonly target: string | null;
  readonly level: number;
}

const NAMES: Readonly<Record<string, string>> = {
  ...{ cell: 'python', bash: 'bash', final: 'final answer', 'final-var': 'final answer from variable' },
  ...{ 'query-llm': 'sub-call', 'query-llm-batched': 'sub-calls', snapshot: 'snapshot', rollback: 'rollback' },
};

/** One command: its source, its output, and the children that it started. */
export function Command({ state, command, target, level }: CommandProps): JSX.Element {
  const self = useRef<HTMLElement>(null);
  const isTarget = target === command.key;
  useEffect(() => {
    if (isTarget) reveal(self.current);
  }, [isTarget]);
  const { id, type, ok, timedOut, shown, stdout, stderr, error, children } = command;
  const isFinal = type.startsWith('final');
  const tone = ok === false ? 'failed' : ok === null && !isFinal ? 'open' : '';
  const output = state.live.value && ok === null && !isFinal ? state.output.value : '';
  return (
    <section
      class={`command ${isFinal ? 'final' : ''} ${tone} ${isTarget ? 'target' : ''}`}
      ref={self}
      tabIndex={-1}
      data-key={command.key}
      aria-label={`${NAMES[type] ?? type} ${id}`}
    >
      <header class="command-head">
        <span class="command-id">{id}</span>
        <span class="command-type">{NAMES[type] ?? type}</span>
        {ok !== null && <Result ok={ok} timedOut={timedOut} />}
        {ok === null && !isFinal && <span class="live-text">{state.live.value ? 'running…' : 'not ended'}</span>}
        {command.ms !== null && <Took ms={command.ms} />}
        {command.calls > 0 && <CallsLink state={state} command={command} />}
        <span class="grow" />
        <CopyButton text={() => command.source.text} label={`Copy the source of ${id}`} />
        <Anchor href={runLink(state.id, 'turns', command.key)} label={`Link to ${id}`} />
      </header>
      {command.source.chars > 0 && (
        <LongText
          run={state.id}
          text={command.source}
          label={`Source of ${id}`}
          kind="code"
          language={command.language}
        />
      )}
      {shown !== null && (
        <LongText run={state.id} text={shown} label={`Output of ${id}, as the model saw it`} kind="output" />
      )}
      {output !== '' && <pre class="output-text live-output">{output}</pre>}
      {error !== null && shown?.text.includes(error.message.text.slice(0, 200)) !== true && (
        <div class="error-text">
          <strong>{error.type}</strong>
          <LongText run={state.id} text={error.message} label={`Error of ${id}`} kind="output" />
        </div>
      )}
      <More state={state} command={command} stdout={stdout} stderr={stderr} />
      {children.length > 0 && <Children state={state} ids={children} target={target} level={level} />}
    </section>
  );
}

function Result({ ok, timedOut }: { readonly ok: boolean; readonly timedOut: boolean }): JSX.Element {
  if (ok) return <span class="ok-text">ok</span>;
  return <span class="bad-text">{timedOut ? 'timed out' : 'failed'}</span>;
}

function CallsLink({ state, command }: Pick<CommandProps, 'state' | 'command'>): JSX.Element {
  const { calls, failedCalls, callTokens, callsUsd, key } = command;
  return (
    <a class="calls-link" href={runLink(state.id, 'calls', key)}>
      {counted(calls, 'sub-call')}
      {failedCalls > 0 && <span class="bad-text"> ({failedCalls} failed)</span>}
      {callTokens > 0 && ` · ${compact(callTokens)} tokens`}
      {callsUsd !== null && callsUsd > 0 && (
        <>
          {' · '}
          <Cost usd={callsUsd} />
        </>
      )}
    </a>
  );
}

function More({
  state,
  command,
  stdout,
  stderr,
}: Pick<CommandProps, 'state' | 'command'> & Pick<CommandView, 'stdout' | 'stderr'>): JSX.Element | null {
  if (stdout === null && stderr === null) return null;
  return (
    <div class="behind inner">
      {stdout !== null && (
        <details>
          <summary>Output in full, more than the model saw ({compact(stdout.chars)} characters)</summary>
          <LongText run={state.id} text={stdout} label={`Output of ${command.id} in full`} kind="output" />
        </details>
      )}
      {stderr !== null && (
        <details>
          <summary>Error output ({compact(stderr.chars)} characters)</summary>
          <LongText run={state.id} text={stderr} label={`Error output of ${command.id}`} kind="output" />
        </details>
      )}
    </div>
  );
}

/** Children that are listed at first, and that each further step adds. */
const STEP = 20;

interface ChildrenProps extends Pick<CommandProps, 'state' | 'target' | 'level'> {
  readonly ids: readonly string[];
}

function Children({ state, ids, target, level }: ChildrenProps): JSX.Element {
  const [shown, setShown] = useState(STEP);
  const lines = state.runs.value;
  const above = ancestors(target, lines);
  const wanted = ids.findIndex((id) => above.has(id));
  const count = Math.max(shown, wanted + 1);
  return (
    <div class="children">
      {ids.slice(0, count).map((id) => {
        const line = lines.get(id);
        return line === undefined ? null : (
          <Child key={id} state={state} line={line} target={target} level={level} opened={above.has(id)} />
        );
      })}
      {ids.length > count && (
        <button type="button" class="link" onClick={() => setShown(count + STEP)}>
          Show {Math.min(STEP, ids.length - count)} more of {counted(ids.length, 'child run')}
        </button>
      )}
    </div>
  );
}

/** The run of a handle, and all above it. */
function ancestors(target: string | null, lines: ReadonlyMap<string, RunLine>): ReadonlySet<string> {
  const found = new Set<string>();
  for (let id = target?.split('/')[0] ?? null; id !== null && !found.has(id); id = lines.get(id)?.parent ?? null)
    found.add(id);
  return found;
}

interface ChildProps extends Pick<CommandProps, 'state' | 'target' | 'level'> {
  readonly line: RunLine;
  readonly opened: boolean;
}

/** A child run, which opens in place. */
function Child({ state, line, target, level, opened }: ChildProps): JSX.Element {
  const [open, setOpen] = useState(opened);
  const self = useRef<HTMLDivElement>(null);
  const isTarget = target === line.id;
  useEffect(() => {
    if (opened) setOpen(true);
  }, [opened]);
  useEffect(() => {
    if (isTarget) reveal(self.current);
  }, [isTarget]);
  const status = line.outcome === null && state.live.value ? 'running' : 'completed';
  return (
    <div class={`child ${isTarget ? 'target' : ''}`} ref={self} tabIndex={-1} data-key={line.id}>
      <button type="button" class="child-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="chevron" />
        <span class="child-query">{line.query.text}</span>
        <span class="child-facts">
          <Outcome status={status} outcome={line.outcome ?? 'not ended'} />
          <span>{counted(line.turns, 'turn')}</span>
          <span class="took">{line.ms === null ? '—' : duration(line.ms)}</span>
          <Cost usd={line.costUsd} />
        </span>
      </button>
      {open && (
        <div class="child-body">
          <p class="child-link">
            {line.model} <Anchor href={runLink(state.id, 'turns', line.id)} label="Link to this child" />
          </p>
          {line.answer !== null && (
            <div class="child-answer">
              <LongText run={state.id} text={line.answer} label="Answer of this child" kind="prose" />
            </div>
          )}
          {line.reason !== null && <p class="notice warning">{line.reason}</p>}
          <Turns state={state} run={line.id} target={target} level={level + 1} />
        </div>
      )}
    </div>
  );
}
