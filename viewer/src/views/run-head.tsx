import type { ComponentChildren, JSX } from 'preact';
import { counted, duration } from '../../../src/cli/screen/figures.ts';
import { source } from '../app-state.ts';
import type { RunState } from '../data/run-state.ts';
import type { Overview } from '../data/source.ts';
import { AnswerText } from '../parts/answer-text.tsx';
import { CopyButton } from '../parts/buttons.tsx';
import { LongText } from '../parts/cut-text.tsx';
import { Cost, dollars, outcomeOf, When } from '../parts/facts.tsx';
import { Words } from '../parts/prose.tsx';
import { Quotes } from './quotes.tsx';

interface HeadProps {
  readonly state: RunState;
  readonly overview: Overview;
}

/** Question, answer, and how it came about. */
export function Head({ state, overview }: HeadProps): JSX.Element {
  const { query, leftOut } = overview;
  return (
    <header class="run-head">
      <p class="eyebrow">Question</p>
      <h1 class={query.chars > 260 ? 'long' : query.chars > 100 ? 'medium' : ''}>
        <LongText run={state.id} text={query} label="Question" kind="plain" />
      </h1>
      <Answer state={state} overview={overview} />
      {leftOut !== null && <p class="notice warning">Left out of this file: {leftOut}.</p>}
      <HowItCameAbout overview={overview} />
    </header>
  );
}

function Answer({ state, overview }: HeadProps): JSX.Element {
  const { facts, answer } = overview;
  const { tone } = outcomeOf(facts.status, facts.outcome);
  return (
    <section class={`answer ${tone}`} aria-label="Answer">
      <header>
        <p class="eyebrow">{answerName(facts.status, facts.outcome)}</p>
        <span class="grow" />
        {answer !== null && <CopyButton label="Copy the answer" text={() => source().text(state.id, answer.ref)} />}
      </header>
      {answer === null ? (
        <p class="quiet">{noAnswer(state, facts.status)}</p>
      ) : (
        <AnswerText run={state.id} answer={answer} label="Answer" />
      )}
      {facts.reason !== undefined && <p class="reason">{facts.reason}</p>}
      {overview.evidence !== null && <Quotes evidence={overview.evidence} />}
    </section>
  );
}

function answerName(status: string, outcome: string | null): string {
  if (outcome === 'exhausted') return 'Best answer at a limit';
  if (outcome === 'failed' || outcome === 'aborted') return 'Draft, when it ended';
  return status === 'running' ? 'Answer so far' : 'Answer';
}

function noAnswer(state: RunState, status: string): JSX.Element | string {
  if (source().kind === 'server' && (status === 'interrupted' || status === 'paused')) {
    return (
      <>
        It is {status}. <code>fathom resume {state.id}</code> continues it, and pays nothing twice.
      </>
    );
  }
  if (status !== 'running')
    return status === 'completed' ? 'It ended without an answer.' : `It has no answer: ${status}.`;
  if (source().kind === 'file') return 'It was at work when this file was written.';
  const progress = state.progress.value;
  return progress === '' ? 'It is at work…' : `It is at work: ${progress}…`;
}

/** Outcome, models, REPL, context, and where time and money went. */
function HowItCameAbout({ overview }: { readonly overview: Overview }): JSX.Element {
  const { facts, subModels, backend, isolation, contexts, counts, origin } = overview;
  const others = subModels.filter((model) => model !== facts.model);
  return (
    <section class="how" aria-label="How it came about">
      <dl class="facts">
        <Fact name="Outcome">
          {outcomeOf(facts.status, facts.outcome).words}
          {facts.stop !== null && facts.stop !== '' && ` by ${facts.stop}`}
        </Fact>
        <Fact name="Model">{facts.model}</Fact>
        {others.length > 0 && <Fact name="Sub-calls">{others.join(', ')}</Fact>}
        {backend !== '' && (
          <Fact name="REPL">
            {backend === 'none' ? 'none: one direct call' : backend}
            {isolation !== '' && `, isolation ${isolation}`}
          </Fact>
        )}
        {contexts.map(({ name, type, size, description, notes = [] }) => (
          <Fact key={name} name={contexts.length === 1 ? 'Context' : name}>
            <Words text={description ?? contextWords(type, size)} />
            {notes.map(({ text }) => (
              <span key={text} class="warn-text">
                {' · '}
                {text}
              </span>
            ))}
          </Fact>
        ))}
        <Fact name="Work">
          {counted(facts.turns, 'turn')}, {counted(facts.subCalls, 'sub-call')}
          {counts.runs > 1 && `, ${counted(counts.runs - 1, 'child run')}`}
        </Fact>
        <Fact name="Tokens">
          {facts.inputTokens.toLocaleString('en')} in, {facts.outputTokens.toLocaleString('en')} out
        </Fact>
        <Fact name="Cost">
          <Cost usd={facts.costUsd} />
          {overview.limits.maxCostUsd !== undefined && ` of at most ${dollars(overview.limits.maxCostUsd)}`}
        </Fact>
        <Fact name="When">
          <When time={facts.createdAt} />
        </Fact>
        <Fact name={origin === 'reference' ? 'Log' : 'Run'}>
          <code>{origin === 'reference' ? 'of the reference implementation' : facts.id}</code>
        </Fact>
      </dl>
      <WorkBar overview={overview} />
    </section>
  );
}

function contextWords(type: string, size: number | undefined): string {
  if (type === 'NoneType') return 'none';
  return size === undefined ? type : `${type} of ${size.toLocaleString('en')}`;
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The shares of writing, waiting for calls, and running code. */
function WorkBar({ overview }: { readonly overview: Overview }): JSX.Element | null {
  const { startMs, modelMs, callsMs, codeMs, modelUsd, callsUsd } = overview.work;
  const all = startMs + modelMs + callsMs + codeMs;
  if (all < 1) return null;
  const parts = [
    ...(startMs < 1 ? [] : [{ name: 'REPL and context were prepared', kind: 'start', ms: startMs, usd: 0 }]),
    { name: 'the model wrote', kind: 'model', ms: modelMs, usd: modelUsd },
    { name: 'waiting for sub-calls', kind: 'calls', ms: callsMs, usd: callsUsd },
    { name: 'code ran', kind: 'code', ms: codeMs, usd: 0 },
  ];
  return (
    <figure class="work">
      <figcaption class="eyebrow">Where time and money went</figcaption>
      <div class="work-bar" aria-hidden="true">
        {parts.map(({ kind, ms }) => (
          <span key={kind} class={`k-${kind}`} style={{ width: `${(100 * ms) / all}%` }} />
        ))}
      </div>
      <ul>
        {parts.map(({ name, kind, ms, usd }) => (
          <li key={kind} class={`k-${kind}`}>
            {name} <strong>{duration(ms)}</strong>
            {usd !== null && usd > 0 && ` · ${dollars(usd)}`}
          </li>
        ))}
      </ul>
    </figure>
  );
}
