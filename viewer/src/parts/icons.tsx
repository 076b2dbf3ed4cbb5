import type { JSX } from 'preact';

const PATHS = {
  search: 'M7 12.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11Zm4-1.5 3.5 3.5',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  moon: 'M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7Z',
  auto: 'M8 2a6 6 0 1 0 0 12ZM8 2a6 6 0 0 1 0 12',
  chevron: 'M6 4l4 4-4 4',
  link: 'M6.5 9.5l3-3M7 4.5l1-1a3 3 0 0 1 4.5 4.5l-1 1M9 11.5l-1 1A3 3 0 0 1 3.5 8l1-1',
  copy: 'M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8Z',
  close: 'M4 4l8 8M12 4l-8 8',
  compare: 'M2.5 3h4.5v10H2.5ZM9 3h4.5v10H9Z',
  check: 'M3 8.5l3 3 7-7',
  cross: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  child: 'M4 2v7a3 3 0 0 0 3 3h5M9.5 9.5 12 12l-2.5 2.5',
  back: 'M10 3 5 8l5 5',
} as const;

/** A picture beside a word, which screen readers skip. */
export function Icon({ name }: { readonly name: keyof typeof PATHS }): JSX.Element {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.4"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}

/** The mark of Fathom: a line that sinks to the ground. */
export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      <path
        d="M2 5.5c2-1.6 3.6-1.6 5.3 0s3.4 1.6 5.4 0 3.6-1.6 5.3 0"
        fill="none"
        stroke="currentColor"
        stroke-width="1.6"
        stroke-linecap="round"
      />
      <path
        d="M10 6.5v8"
        fill="none"
        stroke="currentColor"
        stroke-width="1.6"
        stroke-linecap="round"
        stroke-dasharray="0.1 2.6"
      />
      <circle cx="10" cy="16.6" r="1.9" fill="currentColor" />
    </svg>
  );
}
