import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { counted } from '../../../src/cli/screen/figures.ts';
import { source } from '../app-state.ts';
import type { CutText } from '../data/source.ts';
import { Code } from './code.tsx';
import { Prose } from './prose.tsx';
import { flowing } from './prose-blocks.ts';

/** Characters that are drawn at once: more would stop the page for a moment. */
const DRAWN_CHARS = 200_000;

export interface LongTextProps {
  readonly run: string;
  readonly text: CutText;
  readonly label: string;
  /** `prose` has lists, headings and code; `plain` breaks lines between words; `output` keeps columns. */
  readonly kind: 'prose' | 'plain' | 'output' | 'code';
  readonly language?: string;
}

/** A text that says where it is cut, and opens. */
export function LongText({ run, text, label, kind, language = 'text' }: LongTextProps): JSX.Element {
  const [whole, setWhole] = useState<string | null>(null);
  const [drawn, setDrawn] = useState(DRAWN_CHARS);
  const [state, setState] = useState<'idle' | 'loading' | 'failed'>('idle');
  const full = whole ?? text.text;
  const shown = full.length > drawn ? full.slice(0, drawn) : full;
  const left = (whole === null ? text.chars : full.length) - shown.length;
  const open = async (): Promise<void> => {
    if (whole !== null) {
      setDrawn(drawn + DRAWN_CHARS);
      return;
    }
    setState('loading');
    try {
      setWhole(await source().text(run, text.ref));
      setState('idle');
    } catch {
      setState('failed');
    }
  };
  return (
    <div class={`long-text ${kind}`}>
      {kind === 'code' ? (
        <Code text={shown} language={language} label={label} />
      ) : kind === 'output' ? (
        <pre class="output-text" tabIndex={0} role="region" aria-label={label}>
          {shown}
        </pre>
      ) : kind === 'plain' ? (
        <div class="prose-text">{flowing(shown)}</div>
      ) : (
        <Prose text={shown} label={label} />
      )}
      {left > 0 && (
        <div class="cut" role="note">
          <span>Cut here: {counted(left, 'more character').replace(/^\d+/, left.toLocaleString('en'))}.</span>{' '}
          <button type="button" class="link" onClick={() => void open()} disabled={state === 'loading'}>
            {state === 'loading' ? 'Loading…' : left > DRAWN_CHARS ? 'Show more' : 'Show all'}
          </button>
          {state === 'failed' && <span class="bad"> It could not be loaded.</span>}
        </div>
      )}
    </div>
  );
}
