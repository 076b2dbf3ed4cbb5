import bash from 'highlight.js/lib/languages/bash';
import json from 'highlight.js/lib/languages/json';
import python from 'highlight.js/lib/languages/python';
import { createLowlight } from 'lowlight';
import type { ComponentChildren, JSX } from 'preact';
import { useMemo } from 'preact/hooks';

const lowlight = createLowlight({ bash, json, python });

/** Characters above which code has no colours: finding them would be felt. */
const COLOURED_CHARS = 20_000;

export interface CodeProps {
  readonly text: string;
  readonly language: string;
  /** For screen readers. */
  readonly label: string;
}

/** Code with colours. The highlighter returns a tree, never HTML. */
export function Code({ text, language, label }: CodeProps): JSX.Element {
  const content = useMemo(() => coloured(text, language), [text, language]);
  return (
    // A region that scrolls has to be reachable by keyboard.
    <pre class="code" tabIndex={0} role="region" aria-label={label}>
      <code>{content}</code>
    </pre>
  );
}

function coloured(text: string, language: string): ComponentChildren {
  if (text.length > COLOURED_CHARS || !lowlight.registered(language)) return text;
  return drawn(lowlight.highlight(language, text).children);
}

/** A node of the highlighter's tree. */
type Node = ReturnType<typeof lowlight.highlight>['children'][number];

function drawn(nodes: readonly Node[]): ComponentChildren {
  return nodes.map((node) => {
    if (node.type === 'text') return node.value;
    if (node.type !== 'element') return null;
    const names = node.properties.className;
    return <span class={Array.isArray(names) ? names.join(' ') : ''}>{drawn(node.children)}</span>;
  });
}
