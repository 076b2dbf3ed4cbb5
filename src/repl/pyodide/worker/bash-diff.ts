/**
 * `diff` as GNU's: just-bash's own always shows a unified diff with a line of its library above it, and knows no folders.
 *
 * @module
 */
import { posix } from 'node:path';
import type { CommandContext, ExecResult } from 'just-bash/browser';

/** just-bash's own `diff`, for two files. */
type OwnDiff = (args: string[]) => Promise<ExecResult>;

interface Options {
  readonly style: 'normal' | 'unified' | 'brief';
  /** Lines around a change, in a unified diff. */
  readonly around: number;
  readonly recursive: boolean;
  readonly newFile: boolean;
  /** Options that just-bash's own command understands. */
  readonly passed: readonly string[];
  /** How the command is repeated above each pair of files in folders. */
  readonly shown: string;
  readonly paths: readonly string[];
}

/** A line of a unified diff: its sign and its text. */
interface Line {
  readonly sign: string;
  readonly text: string;
}

const NO_NEWLINE = '\\ No newline at end of file';
const PASSED: ReadonlyMap<string, string> = new Map([
  ['-i', '-i'],
  ['--ignore-case', '-i'],
  ['-s', '-s'],
  ['--report-identical-files', '-s'],
]);

/** Runs `diff`. Options that it does not know go to just-bash's own, whose message then says so. */
export async function diff(args: readonly string[], context: CommandContext, own: OwnDiff): Promise<ExecResult> {
  const options = read(args);
  const [left, right] = options?.paths ?? [];
  if (options === undefined || left === undefined || right === undefined || options.paths.length !== 2)
    return own([...args]);
  const pairs = await filePairs({ left, right, options, context });
  const results: ExecResult[] = [];
  for (const pair of pairs) results.push('only' in pair ? onlyIn(pair.only) : await compare(pair, options, own));
  return {
    stdout: results.map(({ stdout }) => stdout).join(''),
    stderr: results.map(({ stderr }) => stderr).join(''),
    exitCode: Math.max(0, ...results.map(({ exitCode }) => exitCode)),
  };
}

function read(args: readonly string[]): Options | undefined {
  let [style, around, recursive, newFile] = ['normal' as Options['style'], 3, false, false];
  const [passed, paths]: [string[], string[]] = [[], []];
  const rest = args.flatMap(split);
  for (let at = 0; at < rest.length; at += 1) {
    const arg = rest[at] ?? '';
    const lines = /^(?:-U|--unified=)(\d+)$/.exec(arg)?.[1] ?? (arg === '-U' ? rest[++at] : undefined);
    if (lines !== undefined) [style, around] = ['unified', Number(lines)];
    else if (arg === '-u' || arg === '--unified') style = 'unified';
    else if (arg === '-q' || arg === '--brief') style = 'brief';
    else if (arg === '-r' || arg === '--recursive') recursive = true;
    else if (arg === '-N' || arg === '--new-file') newFile = true;
    else if (PASSED.has(arg)) passed.push(PASSED.get(arg) ?? '');
    else if (arg.startsWith('-') && arg !== '-') {
      if (!/^(--normal|--color(=.*)?|-a|--text)$/.test(arg)) return undefined;
    } else paths.push(arg);
  }
  return { style, around, recursive, newFile, passed, paths, shown: `diff ${args.slice(0, -2).join(' ')}`.trim() };
}

/** `-ru` as `-r` and `-u`; `-U5` stays. */
function split(arg: string): string[] {
  return /^-[a-zA-Z]{2,}$/.test(arg) ? [...arg.slice(1)].map((letter) => `-${letter}`) : [arg];
}

type Pair = { readonly left: string; readonly right: string; readonly heading?: string } | { readonly only: string };

/** The files to compare: the two, or those below two folders. */
async function filePairs(at: {
  readonly left: string;
  readonly right: string;
  readonly options: Options;
  readonly context: CommandContext;
}): Promise<Pair[]> {
  const { left, right, options, context } = at;
  const [leftIsFolder, rightIsFolder] = [await isFolder(left, context), await isFolder(right, context)];
  if (!leftIsFolder && !rightIsFolder) return [{ left, right }];
  if (!leftIsFolder) return [{ left, right: posix.join(right, posix.basename(left)) }];
  if (!rightIsFolder) return [{ left: posix.join(left, posix.basename(right)), right }];
  const [inLeft, inRight] = [new Set(await namesIn(left, context)), new Set(await namesIn(right, context))];
  const pairs: Pair[] = [];
  for (const name of [...new Set([...inLeft, ...inRight])].sort()) {
    const pair = { left: posix.join(left, name), right: posix.join(right, name) };
    if (!inLeft.has(name)) pairs.push({ only: `Only in ${right}: ${name}\n` });
    else if (!inRight.has(name)) pairs.push({ only: `Only in ${left}: ${name}\n` });
    else if (!(await isFolder(pair.left, context))) pairs.push({ ...pair, heading: headingOf(pair, options) });
    else if (options.recursive) pairs.push(...(await filePairs({ ...pair, options, context })));
    else pairs.push({ only: `Common subdirectories: ${pair.left} and ${pair.right}\n` });
  }
  return pairs;
}

function headingOf({ left, right }: { left: string; right: string }, { shown, style }: Options): string {
  return style === 'brief' ? '' : `${shown} ${left} ${right}\n`;
}

async function isFolder(path: string, { fs, cwd }: CommandContext): Promise<boolean> {
  if (path === '-') return false;
  const stat = await fs.stat(fs.resolvePath(cwd, path)).catch(() => undefined); // a missing file gets its own message
  return stat?.isDirectory === true;
}

async function namesIn(path: string, { fs, cwd }: CommandContext): Promise<string[]> {
  return fs.readdir(fs.resolvePath(cwd, path));
}

function onlyIn(stdout: string): ExecResult {
  return { stdout, stderr: '', exitCode: stdout.startsWith('Only') ? 1 : 0 };
}

async function compare(
  { left, right, heading = '' }: { readonly left: string; readonly right: string; readonly heading?: string },
  { style, around, passed }: Options,
  own: OwnDiff,
): Promise<ExecResult> {
  const flags = style === 'brief' ? [...passed, '-q'] : passed;
  const result = await own([...flags, '--', left, right]);
  if (style === 'brief' || result.exitCode !== 1) return result;
  const lines = result.stdout.split('\n').slice(0, -1);
  const first = lines.findIndex((line) => line.startsWith('@@'));
  if (first < 0) return result;
  const changes = changesIn(lines.slice(first));
  const body = style === 'normal' ? changes.map(normal) : hunks(changes, around, lines.slice(first));
  const names = style === 'normal' ? '' : `--- ${left}\n+++ ${right}\n`;
  return { ...result, stdout: `${heading}${names}${body.join('')}` };
}

/** Neighbouring removed and added lines, with the numbers of their first lines. */
interface Change {
  readonly left: number;
  readonly right: number;
  readonly removed: Line[];
  readonly added: Line[];
}

function changesIn(lines: readonly string[]): Change[] {
  const changes: Change[] = [];
  let [left, right] = [1, 1];
  let open: Change | undefined;
  let last: Line[] = [];
  for (const line of lines) {
    const [sign = '', text] = [line[0], line.slice(1)];
    const start = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (start !== null) {
      [left, right] = [Number(start[1]) + (start[2] === '0' ? 1 : 0), Number(start[3]) + (start[4] === '0' ? 1 : 0)];
      open = undefined;
    } else if (sign === '-' || sign === '+') {
      if (open === undefined) {
        open = { left, right, removed: [], added: [] };
        changes.push(open);
      }
      last = sign === '-' ? open.removed : open.added;
      last.push({ sign, text });
      if (sign === '-') left += 1;
      else right += 1;
    } else if (line === NO_NEWLINE) {
      if (open !== undefined) last.push({ sign: '\\', text: line.slice(1) });
    } else {
      [left, right, open] = [left + 1, right + 1, undefined];
    }
  }
  return changes;
}

function normal({ left, right, removed, added }: Change): string {
  const [gone, come] = [removed, added].map((lines) => lines.filter(({ sign }) => sign !== '\\').length);
  const body = (lines: readonly Line[], mark: string): string[] =>
    lines.map(({ sign, text }) => (sign === '\\' ? `\\${text}\n` : `${mark} ${text}\n`));
  const letter = gone === 0 ? 'a' : come === 0 ? 'd' : 'c';
  const head = `${range(left, gone ?? 0)}${letter}${range(right, come ?? 0)}\n`;
  return [head, ...body(removed, '<'), ...(letter === 'c' ? ['---\n'] : []), ...body(added, '>')].join('');
}

function range(first: number, count: number): string {
  if (count === 0) return String(first - 1);
  return count === 1 ? String(first) : `${first},${first + count - 1}`;
}

/** A unified diff: as it came with the usual three lines, or the changes alone with none. */
function hunks(changes: readonly Change[], around: number, lines: readonly string[]): string[] {
  if (around > 0) return lines.map((line) => `${line}\n`);
  return changes.map(({ left, right, removed, added }) => {
    const [gone, come] = [removed, added].map((part) => part.filter(({ sign }) => sign !== '\\').length);
    const at = (first: number, count = 0): string =>
      count === 1 ? `${first}` : `${count === 0 ? first - 1 : first},${count}`;
    const text = [...removed, ...added].map(({ sign, text: rest }) => `${sign}${rest}\n`);
    return [`@@ -${at(left, gone)} +${at(right, come)} @@\n`, ...text].join('');
  });
}
