import type { VariableInfo } from '../repl/port.ts';
import { nameAsRepr, onOneLine } from './quoted.ts';

/** Characters of the panel in all. */
const PANEL_CHARS = 1_500;
/** Variables that are named; further ones are counted. */
const PANEL_VARIABLES = 8;

/** Types of definitions and of leftovers: the model wrote or imported them, and their value says nothing about the data. */
const NOISE: ReadonlySet<string> = new Set([
  ...['module', 'type', 'EnumType', 'ABCMeta', 'function', 'builtin_function_or_method', 'method', 'partial'],
  ...['Match', 'Pattern', 'generator', 'coroutine'],
]);

const SCALARS: ReadonlySet<string> = new Set(['int', 'float', 'bool', 'complex', 'NoneType', 'str', 'bytes']);

/** The variables that a turn made or changed, containers first; bounded in all. Without such variables it is empty. */
export function panel(variables: readonly VariableInfo[]): string {
  const changed = variables.filter((variable) => variable.changed === true && !isNoise(variable));
  if (changed.length === 0) return '';
  const sorted = changed.toSorted((a, b) => rank(a) - rank(b));
  const lines: string[] = [];
  let chars = 0;
  for (const variable of sorted.slice(0, PANEL_VARIABLES)) {
    const line = variableLine(variable);
    if (chars + line.length > PANEL_CHARS && lines.length > 0) break;
    chars += line.length;
    lines.push(line);
  }
  const more = changed.length - lines.length;
  return `New or changed variables:\n${lines.join('\n')}${more > 0 ? `\n(and ${more} more: SHOW_VARS())` : ''}`;
}

function isNoise({ name, type }: VariableInfo): boolean {
  if (NOISE.has(type)) return true;
  return name.length === 1 && SCALARS.has(type);
}

/** Containers come before texts, texts before other scalars. */
function rank({ type, size }: VariableInfo): number {
  if (type === 'str' || type === 'bytes') return 1;
  return size === undefined ? 2 : 0;
}

function variableLine({ name, type, size, preview }: VariableInfo): string {
  const count = size === undefined ? '' : ` [${size}]`;
  const value = preview === undefined ? '' : ` = ${onOneLine(preview)}`;
  return `  ${nameAsRepr(name)}: ${onOneLine(type)}${count}${value}`;
}
