import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { counted, duration } from '../../../src/cli/screen/figures.ts';
import type { RunState } from '../data/run-state.ts';
import type { BesideLine, NoticeLine, RunLine, TurnView } from '../data/source.ts';
import { Anchor } from '../parts/buttons.tsx';
import { LongText } from '../parts/cut-text.tsx';
import { Cost, Tokens, Took } from '../parts/facts.tsx';
import { Notices } from '../parts/notices.tsx';
import { reveal } from '../parts/reveal.ts';
import { runLink } from '../route.ts';
import { Command } from './command.tsx';

/** Turns that are drawn at first, and that each further step adds. */
const STEP = 30;

export interface TurnsProps {
  readonly state: RunState;
  readonly run: string;
  /** The handle that the address names. */
  readonly target: string | null;
  /** Runs above this one. */
  readonly level: number;
}

/** The turns of one run, in order. */
export function Turns({ state, run, target, level }: TurnsProps): JSX.Element {
  const turns = state.turns(run).value;
  const line = state.runs.value.get(run);
  const [shown, setShown] = useState(STEP);
  useEffect(() => state.wantTurns(run), [state, run]);
  const wanted = turns?.findIndex(({ key }) => target === key || target?.startsWith(`${key}.`) === true) ?? -1;
  if (turns === null) return <p class="quiet">Loading turns…</p>;
  const count = Math.max(shown, wanted + 1);
  const noticesOf = Map.groupBy(line?.notices ?? [], ({ turn }) => turn);
  const last = turns.at(-1)?.number ?? 0;
  return (
    <>
      <Notices items={noticesOf.get(0)} />
      <ol class={`turns level-${Math.min(level, 3)}`} aria-label={level === 0 ? 'Turns' : 'Turns of this child'}>
        {turns.slice(0, count).map((turn) => (
          <Turn
            key={turn.key}
            state={state}
            turn={turn}
            notices={noticesOf.get(turn.number)}
            target={target}
            level={level}
          />
        ))}
        {turns.length > count && (
          <li class="more">
            <button type="button" class="button" onClick={() => setShown(count + STEP)}>
              Show {counted(Math.min(STEP, turns.length - count), 'more turn')} of {turns.length}
            </button>
          </li>
        )}
        {line?.pending != null && <Pending state={state} line={line} isRoot={level === 0} />}
        {turns.length === 0 && line?.pending == null && <li class="quiet">{emptyWords(line)}</li>}
      </ol>
      {/* A turn that had no reply has no item of its own. */}
      <Notices items={line?.notices.filter(({ turn }) => turn > last)} />
      <Besides items={line?.besides} />
    </>
  );
}

const BESIDES: Readonly<Record<BesideLine['purpose'], string>> = {
  direct: 'Direct call',
  final: 'Last call, for the best answer',
  summary: 'Summary of old turns',
};

/** Model round trips that belong to no turn, and what they cost. */
function Besides({ items = [] }: { readonly items: readonly BesideLine[] | undefined }): JSX.Element | null {
  if (items.length === 0) return null;
  return (
    <ul class="besides" aria-label="Model calls beside the turns">
      {items.map(({ purpose, at, ms, inputTokens, outputTokens, costUsd, attempts }) => (
        <li key={`${purpose}${at}`} class="turn-facts">
          <strong>{BESIDES[purpose]}</strong>
          {ms > 0 && <Took ms={ms} />}
          <Tokens count={inputTokens + outputTokens} />
          <Cost usd={costUsd} />
          {attempts > 1 && <span class="warn-text">{attempts} attempts</span>}
        </li>
      ))}
    </ul>
  );
}

function emptyWords(line: RunLine | undefined): string {
  if (line?.outcome === 'converged') return 'It was answered by one direct call, without turns.';
  return line?.outcome == null ? 'It has not begun its first turn.' : 'It ended before its first reply.';
}

interface TurnProps extends Pick<TurnsProps, 'state' | 'target' | 'level'> {
  readonly turn: TurnView;
  readonly notices: readonly NoticeLine[] | undefined;
}

function Turn({ state, turn, notices, target, level }: TurnProps): JSX.Element {
  const self = useRef<HTMLLIElement>(null);
  const isTarget = target === turn.key;
  useEffect(() => {
    if (isTarget) reveal(self.current);
  }, [isTarget]);
  const { usage } = turn;
  return (
    <li class={`turn ${isTarget ? 'target' : ''}`} ref={self} tabIndex={-1} data-key={turn.key}>
      <header class="turn-head">
        <h3>
          <span class="turn-number">Turn {turn.number}</span>
        </h3>
        <span class="turn-facts">
          <span title="the model wrote its reply">
            model <Took ms={turn.modelMs} />
          </span>
          {turn.ms !== null && turn.ms - turn.modelMs > 1 && (
            <span title="its commands ran">code {duration(turn.ms - turn.modelMs)}</span>
          )}
          <Tokens count={usage.inputTokens + usage.outputTokens} />
          <Cost usd={total(usage.costUsd, turn.callsUsd)} />
          {usage.attempts > 1 && <span class="warn-text">{usage.attempts} attempts</span>}
          {turn.finishReason === 'length' && <span class="warn-text">cut off by its length limit</span>}
        </span>
        <Anchor href={runLink(state.id, 'turns', turn.key)} label={`Link to turn ${turn.number}`} />
      </header>
      {turn.reasoning !== null && (
        <details class="reasoning">
          <summary>Reasoning</summary>
          <LongText run={state.id} text={turn.reasoning} label="Reasoning" kind="prose" />
        </details>
      )}
      {turn.parts.map((part, index) =>
        part.kind === 'prose' ? (
          <div class="said" key={index}>
            <LongText run={state.id} text={part.text} label="Reply" kind="prose" />
          </div>
        ) : (
          <Command key={part.command.key} state={state} command={part.command} target={target} level={level} />
        ),
      )}
      {turn.rejected.map(({ code, message }) => (
        <p key={`${code} ${message}`} class="notice warning">
          Not run ({code}): {message}
        </p>
      ))}
      <Notices items={notices} />
      <Behind state={state} turn={turn} />
    </li>
  );
}

/** Details that few readers need. */
function Behind({ state, turn }: Pick<TurnProps, 'state' | 'turn'>): JSX.Element {
  return (
    <div class="behind">
      {turn.variables !== null && (
        <details>
          <summary>Variables ({turn.variables.split('\n').length})</summary>
          <pre class="output-text" tabIndex={0} role="region" aria-label="New or changed variables">
            {turn.variables}
          </pre>
        </details>
      )}
      {turn.feedback !== null && (
        <details>
          <summary>Feedback to the model</summary>
          <LongText run={state.id} text={turn.feedback} label="Feedback to the model" kind="output" />
        </details>
      )}
      {turn.reply.chars > 0 && (
        <details>
          <summary>Reply as emitted</summary>
          <LongText run={state.id} text={turn.reply} label="Reply as emitted" kind="output" />
        </details>
      )}
    </div>
  );
}

function Pending({
  state,
  line,
  isRoot,
}: {
  readonly state: RunState;
  readonly line: RunLine;
  readonly isRoot: boolean;
}): JSX.Element {
  const draft = isRoot ? state.draft.value : '';
  return (
    <li class="turn pending">
      <header class="turn-head">
        <h3>
          <span class="turn-number">Turn {line.pending?.number}</span>
        </h3>
        <span class="turn-facts">{state.live.value ? 'the model writes…' : 'it had no reply yet'}</span>
      </header>
      {draft !== '' && <pre class="draft">{draft}</pre>}
    </li>
  );
}

function total(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}
