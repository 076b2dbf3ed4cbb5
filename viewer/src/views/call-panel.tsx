import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { duration } from '../../../src/cli/screen/figures.ts';
import { source } from '../app-state.ts';
import type { RunState } from '../data/run-state.ts';
import type { CallLine, CutText } from '../data/source.ts';
import { Anchor, CopyButton } from '../parts/buttons.tsx';
import { LongText } from '../parts/cut-text.tsx';
import { Cost } from '../parts/facts.tsx';
import { Icon } from '../parts/icons.tsx';
import { runLink } from '../route.ts';
import { cellOf, statusOf } from './call-table.ts';

export interface CallPanelProps {
  readonly state: RunState;
  readonly call: CallLine;
  readonly place: number;
  readonly onClose: () => void;
}

/** One call in full. */
export function CallPanel({ state, call, place, onClose }: CallPanelProps): JSX.Element {
  const { key, model, kind, promptChars, replyChars, inputTokens, outputTokens, costUsd, ms, attempts, child, at } =
    call;
  const { tone, words } = statusOf(call);
  return (
    <aside class="panel" aria-label={`Call ${place}`}>
      <header class="panel-head">
        <h3>Call {place}</h3>
        <span class={`outcome ${tone}`}>{words}</span>
        <span class="grow" />
        <Anchor href={runLink(state.id, 'calls', key)} label="Link to this call" />
        <button type="button" class="icon-button" onClick={onClose} aria-label="Close this call" title="Close (Esc)">
          <Icon name="close" />
        </button>
      </header>
      <dl class="facts">
        <dt>Made by</dt>
        <dd>
          <a href={runLink(state.id, 'turns', key.replace(/\/c\d+$/, ''))}>cell {cellOf(call)}</a>
          {call.depth > 0 && ` of a child at depth ${call.depth}`}
        </dd>
        <dt>Model</dt>
        <dd>
          {model} {kind === 'rlm' && '(child run)'}
        </dd>
        <dt>Tokens</dt>
        <dd>
          {inputTokens.toLocaleString('en')} in, {outputTokens.toLocaleString('en')} out
        </dd>
        <dt>Cost</dt>
        <dd>
          <Cost usd={costUsd} />
        </dd>
        <dt>Time</dt>
        <dd>
          {ms === null ? 'not ended' : duration(ms)}, begun {duration(at)} after the start
        </dd>
        <dt>Attempts</dt>
        <dd>{attempts === 0 ? (child === null ? 'none was sent' : 'those of the child') : attempts}</dd>
        {child !== null && (
          <>
            <dt>Child</dt>
            <dd>
              <a href={runLink(state.id, 'turns', child)}>open the child run</a>
            </dd>
          </>
        )}
      </dl>
      {call.code !== null && <CallText state={state} call={call} field="error" name="Error" />}
      <CallText state={state} call={call} field="prompt" name="Prompt" chars={promptChars} />
      <CallText state={state} call={call} field="reply" name="Reply" chars={replyChars} />
    </aside>
  );
}

interface CallTextProps extends Pick<CallPanelProps, 'state' | 'call'> {
  readonly field: 'prompt' | 'reply' | 'error';
  readonly name: string;
  readonly chars?: number;
}

/** Characters of a prompt that are shown at once. */
const SHOWN_CHARS = 6_000;

function CallText({ state, call, field, name, chars }: CallTextProps): JSX.Element {
  const [text, setText] = useState<string | null>(chars === 0 ? '' : null);
  const [failure, setFailure] = useState('');
  const ref = `${call.key}/${field}`;
  useEffect(() => {
    if (chars === 0) return;
    source()
      .text(state.id, ref)
      .then(setText, (error: unknown) => setFailure(error instanceof Error ? error.message : String(error)));
  }, [state.id, ref, chars, call.ok]);
  const cut: CutText = { text: (text ?? '').slice(0, SHOWN_CHARS), chars: text?.length ?? 0, ref };
  return (
    <section class={`call-text ${field}`}>
      <header>
        <h4>{name}</h4>
        {chars !== undefined && <span class="quiet">{chars.toLocaleString('en')} characters</span>}
        <span class="grow" />
        {text !== null && text !== '' && <CopyButton text={() => text} label={`Copy the ${field}`} />}
      </header>
      {failure !== '' ? (
        <p class="notice error">{failure}</p>
      ) : text === null ? (
        <p class="quiet">Loading…</p>
      ) : text === '' ? (
        <p class="quiet">{field === 'prompt' ? 'It was not recorded.' : 'There is none.'}</p>
      ) : (
        <LongText run={state.id} text={cut} label={name} kind="output" />
      )}
    </section>
  );
}
