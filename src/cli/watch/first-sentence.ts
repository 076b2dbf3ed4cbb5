import { withoutReasoning } from '../../protocol/index.ts';

/** The beginning of a line that is only layout. */
const LAYOUT = /^[\s#>*_-]+/;
const FENCE = /^\s*(?:```|~~~)/;
/** A command on a line of its own ends a reply; its text is the answer, which is printed at the end. */
const ANSWER = /^\s*FINAL(?:_VAR)?\s*\(/;
const SENTENCE_END = /(?<=[.!?…。！？])(?:\s|$)|:\s*$/;

/** The first sentence of a reply's prose; of a reply without prose the first comment or line of its code. */
export function firstSentence(reply: string): string {
  const lines = withoutReasoning(reply).split('\n');
  const code = lines.findIndex((line) => FENCE.test(line));
  const prose = lines.slice(0, code === -1 ? undefined : code);
  const first = prose.find((line) => line.replace(LAYOUT, '') !== '');
  if (first !== undefined && ANSWER.test(first)) return 'gives its answer';
  if (first !== undefined) return sentenceOf(first.replace(LAYOUT, ''));
  if (code === -1) return '';
  const body = lines.slice(code + 1).filter((line) => line.trim() !== '' && !FENCE.test(line));
  const comment = body.find((line) => /^\s*#/.test(line));
  return comment === undefined ? (body[0]?.trim() ?? '') : sentenceOf(comment.replace(/^[\s#]+/, ''));
}

function sentenceOf(line: string): string {
  const plain = line.replaceAll(/\*\*|__|`/g, '').trim();
  const end = SENTENCE_END.exec(plain);
  return (end === null ? plain : plain.slice(0, end.index)).trim();
}
