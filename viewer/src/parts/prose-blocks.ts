/**
 * The blocks of a text in the Markdown that models write: what a reader sees as a list, a heading, code or a table. No text
 * becomes HTML, links stay text, and everything unknown is a paragraph as it is.
 *
 * @module
 */

export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'item'; readonly level: number; readonly mark: string; readonly text: string }
  /** `info`: the words behind the fence, of which the first is a language. */
  | { readonly kind: 'code'; readonly info: string; readonly text: string }
  | { readonly kind: 'table'; readonly rows: readonly (readonly string[])[] };

export type Inline = { readonly kind: 'text' | 'code' | 'strong'; readonly text: string };

/** Characters of a line that was broken to fit a window. */
const BROKEN_CHARS = 55;

/** The blocks of a text, in order. */
export function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; ) {
    const [block, next] = fenceAt(lines, at) ?? tableAt(lines, at) ?? lineAt(lines, at);
    const last = blocks.at(-1);
    if (block.kind === 'text' && last?.kind === 'text')
      blocks[blocks.length - 1] = { kind: 'text', text: `${last.text}\n${block.text}` };
    else blocks.push(block);
    at = next;
  }
  return blocks.flatMap((block): readonly Block[] => {
    if (block.kind !== 'text') return [block];
    const flowed = flowing(block.text.replace(/^\n+/, '').trimEnd());
    return flowed === '' ? [] : [{ kind: 'text', text: flowed }];
  });
}

type Found = readonly [block: Block, next: number];

function fenceAt(lines: readonly string[], at: number): Found | undefined {
  const [, fence = '', info = ''] = /^\s*(`{3,}|~{3,})([^`]*)$/.exec(lines[at] ?? '') ?? [];
  if (fence === '') return undefined;
  const isEnd = (line: string): boolean => line.length >= fence.length && line === fence.charAt(0).repeat(line.length);
  let end = at + 1;
  while (end < lines.length && !isEnd(lines[end]?.trim() ?? '')) end++;
  return [{ kind: 'code', info: info.trim(), text: lines.slice(at + 1, end).join('\n') }, end + 1];
}

/** A table has a line of dashes below its head. */
function tableAt(lines: readonly string[], at: number): Found | undefined {
  const isRow = (line = ''): boolean => /^\s*\|.*\|\s*$/.test(line);
  if (!isRow(lines[at]) || !/^\|[\s:|-]+\|$/.test(lines[at + 1]?.trim() ?? '')) return undefined;
  let end = at + 2;
  while (end < lines.length && isRow(lines[end])) end++;
  const rows = [lines[at] ?? '', ...lines.slice(at + 2, end)].map(cellsOf);
  return [{ kind: 'table', rows }, end];
}

function cellsOf(line: string): readonly string[] {
  return line
    .trim()
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());
}

function lineAt(lines: readonly string[], at: number): Found {
  const line = lines[at] ?? '';
  const [, heading] = /^#{1,6}\s+(\S.*)$/.exec(line) ?? [];
  if (heading !== undefined) return [{ kind: 'heading', text: heading }, at + 1];
  const [, indent = '', mark, item = ''] = /^(\s*)([-*+•]|\d{1,4}[.)])\s+(\S.*)$/.exec(line) ?? [];
  if (mark === undefined) return [{ kind: 'text', text: line }, at + 1];
  let end = at + 1;
  const text = [item];
  // Lines that are indented below it are its own.
  while (end < lines.length && /^\s{2,}[^\s\-*+•\d]/.test(lines[end] ?? '')) text.push(lines[end++]?.trim() ?? '');
  const level = Math.min(4, Math.floor(indent.replaceAll('\t', '    ').length / 2));
  return [{ kind: 'item', level, mark: /^\d/.test(mark) ? mark : '•', text: text.join(' ') }, end];
}

/** Models break prose at the width of a window that is not this one: such lines are joined. The reply as emitted keeps them. */
export function flowing(text: string): string {
  const lines = text.split('\n');
  const joined = lines.map((line, index) => {
    const next = lines[index + 1];
    if (next === undefined) return line;
    const isBroken =
      line.length >= BROKEN_CHARS && line.length <= 2 * BROKEN_CHARS + 10 && /^[\p{L}\p{N}"'(“‘`]/u.test(next);
    return isBroken && !/^\d+[.)]\s/.test(next) ? `${line} ` : `${line}\n`;
  });
  return joined.join('');
}

/** Code and strong words in a line. */
export function inlinesOf(text: string): readonly Inline[] {
  const parts: Inline[] = [];
  let end = 0;
  const plain = (to: number): void => {
    if (to > end) parts.push({ kind: 'text', text: text.slice(end, to) });
  };
  for (const match of text.matchAll(/`([^`\n]+)`|\*\*([^*\s](?:[^*\n]*[^*\s])?)\*\*/g)) {
    const [whole, code, strong = ''] = match;
    plain(match.index);
    parts.push(code === undefined ? { kind: 'strong', text: strong } : { kind: 'code', text: code });
    end = match.index + whole.length;
  }
  plain(text.length);
  return parts;
}
