import type { SyntaxNode } from '@lezer/common';
import { pythonLiteralAsJson } from '../protocol/python-literal.ts';

/** The text of a string expression that is constant: literals, adjacent ones, their sums, `"".join([…])`. */
export function constantText(node: SyntaxNode | null, source: string): string | undefined {
  if (node === null) return undefined;
  switch (node.name) {
    case 'String':
      return literal(source.slice(node.from, node.to));
    case 'ContinuedString':
      return joined(children(node), source, '');
    case 'ParenthesizedExpression':
      return constantText(children(node).find(isValue) ?? null, source);
    case 'BinaryExpression': {
      const [left, right] = [node.firstChild, node.lastChild];
      if (source.slice(left?.to, right?.from).trim() !== '+') return undefined;
      const [a, b] = [constantText(left, source), constantText(right, source)];
      return a === undefined || b === undefined ? undefined : a + b;
    }
    case 'CallExpression':
      return joinCall(node, source);
    default:
      return undefined;
  }
}

function joinCall(node: SyntaxNode, source: string): string | undefined {
  const [callee, args] = [node.firstChild, node.lastChild];
  if (callee?.name !== 'MemberExpression' || callee.lastChild?.name !== 'PropertyName') return undefined;
  if (source.slice(callee.lastChild.from, callee.lastChild.to) !== 'join') return undefined;
  const between = constantText(callee.firstChild, source);
  const list = children(args).find(({ name }) => name === 'ArrayExpression' || name === 'TupleExpression');
  if (between === undefined || list === undefined) return undefined;
  return joined(children(list).filter(isValue), source, between);
}

function joined(nodes: readonly SyntaxNode[], source: string, between: string): string | undefined {
  const texts = nodes.map((node) => constantText(node, source));
  return texts.includes(undefined) ? undefined : texts.join(between);
}

function literal(text: string): string | undefined {
  const json = pythonLiteralAsJson(text.replace(/^[rRuU](?=["'])/, ''));
  if (json === undefined) return undefined;
  const value: unknown = JSON.parse(json);
  return typeof value === 'string' ? value : undefined;
}

/** The children of a node. */
export function children(node: SyntaxNode | null): readonly SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node?.firstChild ?? null; child !== null; child = child.nextSibling) found.push(child);
  return found;
}

/** Not punctuation. */
export function isValue({ name }: SyntaxNode): boolean {
  return /^\w/.test(name) && name !== 'Comment';
}
