import type { JSX } from 'preact';
import { say } from '../app-state.ts';
import { Icon } from './icons.tsx';

/** Copies a text. */
export function CopyButton({
  text,
  label,
}: {
  readonly text: () => string | Promise<string>;
  readonly label: string;
}): JSX.Element {
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(await text());
      say('Copied.');
    } catch {
      say('This browser does not let the page copy.');
    }
  };
  return (
    <button type="button" class="icon-button" onClick={() => void copy()} aria-label={label} title={label}>
      <Icon name="copy" />
    </button>
  );
}

/** A link to a place of the page, which also is its address. */
export function Anchor({ href, label }: { readonly href: string; readonly label: string }): JSX.Element {
  return (
    <a class="anchor" href={href} aria-label={label} title={label}>
      <Icon name="link" />
    </a>
  );
}
