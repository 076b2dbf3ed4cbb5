import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { Code } from './code.tsx';
import { type Block, blocksOf, flowing, inlinesOf } from './prose-blocks.ts';

/** Characters above which prose is shown as it is: elements for every line would be felt. */
const FORMATTED_CHARS = 20_000;

/** Prose of a model, with its lists, headings, code and tables. */
export function Prose({ text, label }: { readonly text: string; readonly label: string }): JSX.Element {
  const blocks = useMemo(() => (text.length > FORMATTED_CHARS ? null : blocksOf(text)), [text]);
  if (blocks === null) return <div class="prose-text">{flowing(text)}</div>;
  return (
    <div class="prose-text">
      {blocks.map((block, index) => (
        <Part key={index} block={block} label={label} />
      ))}
    </div>
  );
}

function Part({ block, label }: { readonly block: Block; readonly label: string }): JSX.Element {
  switch (block.kind) {
    case 'code':
      return <Code text={block.text} language={block.info.split(/\s/)[0] ?? ''} label={`Code in ${label}`} />;
    case 'table':
      return <Table rows={block.rows} label={`Table in ${label}`} />;
    case 'heading':
      return (
        <p class="prose-heading">
          <Words text={block.text} />
        </p>
      );
    case 'item':
      return (
        <p class={`prose-item level-${block.level}`}>
          <span class="prose-mark">{block.mark}</span>
          <span>
            <Words text={block.text} />
          </span>
        </p>
      );
    case 'text':
      return (
        <p>
          <Words text={block.text} />
        </p>
      );
  }
}

function Table({
  rows,
  label,
}: {
  readonly rows: readonly (readonly string[])[];
  readonly label: string;
}): JSX.Element {
  const [head = [], ...body] = rows;
  return (
    <div class="prose-table" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {head.map((cell, index) => (
              <th key={index} scope="col">
                <Words text={cell} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {body.map((cells, row) => (
            <tr key={row}>
              {cells.map((cell, index) => (
                <td key={index}>
                  <Words text={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A line with its code and strong words. */
export function Words({ text }: { readonly text: string }): JSX.Element {
  return (
    <>
      {inlinesOf(text).map(({ kind, text: part }, index) => {
        if (kind === 'code') return <code key={index}>{part}</code>;
        return kind === 'strong' ? <strong key={index}>{part}</strong> : part;
      })}
    </>
  );
}
