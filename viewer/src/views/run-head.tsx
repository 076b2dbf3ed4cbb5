import type { ComponentChildren, JSX } from 'preact';
import { counted, duration } from '../../../src/cli/screen/figures.ts';
import { source } from '../app-state.ts';
import type { RunState } from '../data/run-state.ts';
import type { Overview } from '../data/source.ts';
import { CopyButton } from '../parts/buttons.tsx';
import { LongText } from '../parts/cut-text.tsx';
import { Cost, dollars, outcomeOf, When } from '../parts/facts.tsx';

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
        <LongText run={state.id} text={query} label="Question" kind="prose" />
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
  const isJson = answer !== null && /^\s*[[{]/.test(answer.text) && answer.chars <= answer.text.length;
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
        <LongText
          run={state.id}
          text={isJson ? { ...answer, text: indented(answer.text), chars: indented(answer.text).length } : answer}
          label="Answer"
          kind={isJson ? 'code' : 'prose'}
          language="json"
        />
      )}
      {facts.reason !== undefined && <p class="reason">{facts.reason}</p>}
    </section>
  );
}

/** Digits stay as they are: the text is broken into lines, not parsed. */
function indented(json: string): string {
  if (json.includes('\n') || json.length < 80) return json;
  let depth = 0;
  return json.replace(/"(?:\\.|[^"\\])*"|[[\]{},:]|\s+/g, (token) => {
    if (token.trim() === '') return '';
    if (token === ',') return `,\n${'  '.repeat(depth)}`;
    if (token === ':') return ': ';
    if (token === '{' || token === '[') return `${token}\n${'  '.repeat(++depth)}`;
    if (token === '}' || token === ']') return `\n${'  '.repeat(Math.max(0, --depth))}${token}`;
    return token;
  });
}

function answerName(status: string, outcome: string | null): string {
  if (outcome === 'exhausted') return 'Best answer at a limit';
  if (outcome === 'failed' || outcome === 'aborted') return 'Draft, when it ended';
  return status === 'running' ? 'Answer so far' : 'Answer';
}

function noAnswer(state: RunState, status: string): string {
  if (status !== 'running') return 'It ended without an answer.';
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
            {description ?? `${type}${size === undefined ? '' : ` of ${size.toLocaleString('en')}`}`}
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
