import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { compact, duration } from '../../../src/cli/screen/figures.ts';
import { source } from '../app-state.ts';
import { openRun, type RunState } from '../data/run-state.ts';
import type { Overview, TurnView } from '../data/source.ts';
import { AnswerText } from '../parts/answer-text.tsx';
import { LongText } from '../parts/cut-text.tsx';
import { dollars, Outcome, outcomeOf } from '../parts/facts.tsx';
import { runLink } from '../route.ts';
import { Command } from './command.tsx';
import { rootOf } from './time-view.tsx';

/** Two runs side by side: figures, answers, and turn beside turn. */
export function Compare({ ids }: { readonly ids: readonly [string, string] }): JSX.Element {
  const [first, second] = ids;
  const a = useRun(first);
  const b = useRun(second);
  useEffect(() => {
    document.title = 'Compare · Fathom';
  }, []);
  const failure = a.error.value ?? b.error.value;
  const [left, right] = [a.overview.value, b.overview.value];
  if (failure !== null && (left === null || right === null)) {
    return (
      <p class="notice error" role="alert">
        {failure}
      </p>
    );
  }
  if (left === null || right === null) return <p class="quiet page-note">Loading two runs…</p>;
  return (
    <section class="compare" aria-label="Two runs compared">
      <h1>Compare</h1>
      <Figures left={left} right={right} />
      <div class="pair">
        <Answered state={a} overview={left} name="A" />
        <Answered state={b} overview={right} name="B" />
      </div>
      <p class="same" role="status">
        {sameWords(left, right)}
      </p>
      <TurnPairs a={a} b={b} />
    </section>
  );
}

function useRun(id: string): RunState {
  const state = useMemo(() => openRun(id, source()), [id]);
  useEffect(() => () => state.close(), [state]);
  return state;
}

function sameWords({ query, answer }: Overview, right: Overview): string {
  const sameQuery = query.text === right.query.text && query.chars === right.query.chars;
  const sameAnswer = answer?.text === right.answer?.text && answer?.chars === right.answer?.chars;
  return `${sameQuery ? 'The same question' : 'Different questions'}, ${sameAnswer ? 'the same answer' : 'different answers'}.`;
}

function Answered({
  state,
  overview,
  name,
}: {
  readonly state: RunState;
  readonly overview: Overview;
  readonly name: string;
}): JSX.Element {
  const { facts, query, answer } = overview;
  return (
    <article class={`answer ${outcomeOf(facts.status, facts.outcome).tone}`}>
      <header>
        <span class="badge">{name}</span>
        <a href={runLink(state.id)}>{facts.model}</a>
        <span class="grow" />
        <Outcome status={facts.status} outcome={facts.outcome} />
      </header>
      <p class="compare-query">{query.text}</p>
      {answer === null ? (
        <p class="quiet">No answer.</p>
      ) : (
        <AnswerText run={state.id} answer={answer} label={`Answer ${name}`} />
      )}
    </article>
  );
}

interface Figure {
  readonly name: string;
  readonly of: (overview: Overview) => number | null;
  readonly words: (value: number) => string;
}

const FIGURES: readonly Figure[] = [
  { name: 'Cost', of: ({ facts }) => facts.costUsd, words: dollars },
  { name: 'Time', of: ({ facts }) => facts.elapsedMs, words: duration },
  { name: 'Turns', of: ({ facts }) => facts.turns, words: String },
  { name: 'Sub-calls', of: ({ facts }) => facts.subCalls, words: compact },
  { name: 'Failed calls', of: ({ counts }) => counts.failedCalls, words: compact },
  { name: 'Tokens in', of: ({ facts }) => facts.inputTokens, words: compact },
  { name: 'Tokens out', of: ({ facts }) => facts.outputTokens, words: compact },
  { name: 'Model wrote', of: ({ work }) => work.modelMs, words: duration },
  { name: 'Waited for calls', of: ({ work }) => work.callsMs, words: duration },
];

function Figures({ left, right }: { readonly left: Overview; readonly right: Overview }): JSX.Element {
  return (
    <table class="figures">
      <thead>
        <tr>
          <th scope="col">Figure</th>
          <th scope="col">A</th>
          <th scope="col">B</th>
          <th scope="col">B to A</th>
        </tr>
      </thead>
      <tbody>
        {FIGURES.map(({ name, of, words }) => {
          const [a, b] = [of(left), of(right)];
          const most = Math.max(a ?? 0, b ?? 0);
          return (
            <tr key={name}>
              <th scope="row">{name}</th>
              {[a, b].map((value, index) => (
                <td key={index === 0 ? 'a' : 'b'}>
                  <span class="meter" aria-hidden="true">
                    <span style={{ width: `${most === 0 ? 0 : (100 * (value ?? 0)) / most}%` }} />
                  </span>
                  {value === null ? 'unknown' : words(value)}
                </td>
              ))}
              <td>{ratioWords(a, b)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function ratioWords(a: number | null, b: number | null): string {
  if (a === null || b === null) return '';
  if (a === b) return 'the same';
  if (a === 0) return 'only B';
  const percent = Math.round((100 * (b - a)) / a);
  return percent > 0 ? `+${percent} %` : `−${-percent} %`;
}

/** Turns that are compared at most: the pages of the runs have the rest. */
const MOST_TURNS = 30;

function TurnPairs({ a, b }: { readonly a: RunState; readonly b: RunState }): JSX.Element {
  const [left, right] = [useTurns(a), useTurns(b)];
  const count = Math.min(MOST_TURNS, Math.max(left.length, right.length));
  return (
    <ol class="turn-pairs" aria-label="Turns side by side">
      {Array.from({ length: count }, (_, index) => (
        <li key={index}>
          <h2>Turn {index + 1}</h2>
          <div class="pair">
            <Half state={a} turn={left[index]} name="A" />
            <Half state={b} turn={right[index]} name="B" />
          </div>
        </li>
      ))}
    </ol>
  );
}

function useTurns(state: RunState): readonly TurnView[] {
  const root = rootOf(state);
  useEffect(() => {
    if (root !== undefined) state.wantTurns(root);
  }, [state, root]);
  return root === undefined ? [] : (state.turns(root).value ?? []);
}

function Half({
  state,
  turn,
  name,
}: {
  readonly state: RunState;
  readonly turn: TurnView | undefined;
  readonly name: string;
}): JSX.Element {
  if (turn === undefined) return <p class="quiet half">{name} had ended.</p>;
  return (
    <div class="half">
      {turn.parts.map((part, index) =>
        part.kind === 'prose' ? (
          <div class="said" key={index}>
            <LongText run={state.id} text={part.text} label={`Reply ${name}`} kind="prose" />
          </div>
        ) : (
          <Command key={part.command.key} state={state} command={part.command} target={null} level={1} />
        ),
      )}
    </div>
  );
}
