import type { JSX } from 'preact';
import type { CutText } from '../data/source.ts';
import { LongText } from './cut-text.tsx';

interface AnswerTextProps {
  readonly run: string;
  readonly answer: CutText;
  readonly label: string;
}

/** An answer: JSON in lines, everything else as prose. */
export function AnswerText({ run, answer, label }: AnswerTextProps): JSX.Element {
  const isJson = /^\s*[[{]/.test(answer.text) && answer.chars <= answer.text.length;
  if (!isJson) return <LongText run={run} text={answer} label={label} kind="prose" />;
  const text = indented(answer.text);
  return (
    <LongText run={run} text={{ ...answer, text, chars: text.length }} label={label} kind="code" language="json" />
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
