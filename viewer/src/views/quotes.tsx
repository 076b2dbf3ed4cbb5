import type { JSX } from 'preact';
import { counted } from '../../../src/cli/screen/figures.ts';
import type { EvidenceView } from '../data/source.ts';

const TONES = { verified: 'ok', partly: 'warn', unverified: 'bad' } as const;
const WORDS = { found: 'in the context', moved: 'in the context, nearly', 'not-found': 'not in the context' } as const;

/** The quotes that support an answer, and whether each is in the context. */
export function Quotes({ evidence }: { readonly evidence: EvidenceView }): JSX.Element {
  const { verdict, found, total, citations } = evidence;
  return (
    <details class="quotes">
      <summary>
        Evidence <span class={`outcome ${TONES[verdict]}`}>{verdict}</span>{' '}
        <span class="quiet">
          {found} of {counted(total, 'quote')} found in the context
        </span>
      </summary>
      <ul>
        {citations.map(({ document, quote, status }, index) => (
          <li key={index}>
            <blockquote>{quote}</blockquote>
            <p class={status === 'not-found' ? 'bad-text' : 'quiet'}>
              <code>{document}</code> · {WORDS[status]}
            </p>
          </li>
        ))}
      </ul>
      {total > citations.length && (
        <p class="quiet">{counted(total - citations.length, 'more quote')} not listed here.</p>
      )}
    </details>
  );
}
