import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { counted } from '../../../src/cli/screen/figures.ts';
import type { NoticeLine } from '../data/source.ts';

/** Notices that are shown at first: a turn that called a hundred tools is still a turn. */
const SHOWN = 6;

/** Things that happened beside the turns. */
export function Notices({ items = [] }: { readonly items: readonly NoticeLine[] | undefined }): JSX.Element {
  const [all, setAll] = useState(false);
  const shown = all ? items : items.slice(0, SHOWN);
  return (
    <>
      {shown.map(({ level, text, at }, index) => (
        <p key={`${at} ${index}`} class={`notice ${level}`}>
          {text}
        </p>
      ))}
      {items.length > shown.length && (
        <button type="button" class="link" onClick={() => setAll(true)}>
          Show {counted(items.length - shown.length, 'more notice')}
        </button>
      )}
    </>
  );
}
