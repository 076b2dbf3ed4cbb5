/**
 * Commands of the emulated bash that differ from just-bash's own, so that the commands models usually write work here; for
 * commands that are missing, a message that says what to do in this REPL.
 *
 * @module
 */
import type { Command, CommandContext, ExecResult } from 'just-bash/browser';
import { diff } from './bash-diff.ts';
import type { LinkMode } from './bash-files.ts';

const HINT = 'This bash is an emulation. Write a block tagged `repl` and use Python for what it lacks';

/** The advice for a command that is missing. */
const INSTEAD: Readonly<Record<string, string>> = {
  'python python3 pypy': 'Python runs in a block tagged `repl`',
  'node deno bun perl ruby php java gcc': 'use Python in a block tagged `repl`',
  'pip pip3 uv conda apt apt-get apk yum npm': 'nothing can be installed: the REPL has no network',
  'curl wget git ssh scp ping': 'the REPL has no network',
  tar: "use Python's `tarfile` in a block tagged `repl`",
  'zip unzip 7z': "use Python's `zipfile` in a block tagged `repl`",
  'bzip2 bunzip2 bzcat xz unxz xzcat zstd': "use Python's `bz2` or `lzma` in a block tagged `repl`",
  sqlite3: "use Python's `sqlite3` in a block tagged `repl`",
  'bc dc': 'use $((…)), awk, or Python in a block tagged `repl`',
  'xxd hexdump': 'use od, or `bytes.hex()` in a block tagged `repl`',
  iconv: 'use `bytes.decode(…)` in a block tagged `repl`',
  'shuf numfmt': 'use Python in a block tagged `repl`',
  zgrep: 'use zcat FILE | grep …',
  'less more man': 'use cat or head',
  'vi vim nano emacs ed patch': 'write the file with cat > FILE, or with Python in a block tagged `repl`',
  'cmp sdiff': 'use diff',
  'pdftotext xmllint pandoc convert': 'use Python in a block tagged `repl`',
};

/** Commands that are missing. */
export const MISSING: ReadonlyMap<string, string> = new Map(
  Object.entries(INSTEAD).flatMap(([names, words]) => names.split(' ').map((name): [string, string] => [name, words])),
);

type Own = (args: string[]) => Promise<ExecResult>;
type Run = (args: string[], context: CommandContext, own: Own) => Promise<ExecResult>;

/** The commands, for just-bash's `customCommands`. */
export function bashCommands(links: LinkMode): Command[] {
  const replaced: Readonly<Record<string, Run>> = {
    diff,
    find: (args, _, own) => find(args, own, links),
    xargs: (args, _, own) => own(xargsOptions(args)),
    grep: (args, _, own) => own(args.filter((arg) => !/^--colou?r(=.*)?$|^--line-buffered$/.test(arg))),
    paste: (args, _, own) => own(args.some((arg) => !arg.startsWith('-') || arg === '-') ? args : [...args, '-']),
    head: (args, _, own) => head(args, own),
    realpath: (args, { exec, cwd }) =>
      exec === undefined
        ? Promise.resolve(fails('realpath', 1, 'cannot run here'))
        : exec('readlink -f', { cwd, args }),
  };
  const commands = Object.entries(replaced).map(([name, run]): Command => {
    const execute = async (args: string[], context: CommandContext): Promise<ExecResult> =>
      hinted(await run(args, context, context.origCommand ?? (() => Promise.resolve(fails(name, 127, 'not found')))));
    return { name, execute };
  });
  const missing = [...MISSING].map(
    ([name, words]): Command => ({
      name,
      execute: () => Promise.resolve(fails(name, 127, `not available in this emulated bash: ${words}`)),
    }),
  );
  return [...commands, ...missing];
}

function fails(name: string, exitCode: number, words: string): ExecResult {
  return { stdout: '', stderr: `bash: ${name}: ${words}\n`, exitCode };
}

const LACKS =
  /unknown predicate|Unknown argument|invalid option|unrecognized option|invalid number|invalid regular expression|command not found|not available in browser/;

/** Adds what to do where a command or an option is missing. */
export function hinted<R extends { readonly stderr: string }>(result: R): R {
  const { stderr } = result;
  if (!LACKS.test(stderr) || stderr.includes(HINT)) return result;
  const words = stderr.replace(/command not available in browser environments\..*/g, 'not available');
  return { ...result, stderr: `${words}${words.endsWith('\n') ? '' : '\n'}${HINT}.\n` };
}

/** Always true, in just-bash's words. */
const TRUE = ['-name', '*'];
const FIND_IGNORED = /^-(xdev|mount|noleaf|warn|nowarn|ignore_readdir_race|daystart|true|readable)$/;
const FIND_RENAMED: ReadonlyMap<string, string> = new Map([
  ['-wholename', '-path'],
  ['-iwholename', '-ipath'],
]);

async function find(args: readonly string[], own: Own, links: LinkMode): Promise<ExecResult> {
  const follow = args.includes('-L') || args.includes('-follow');
  const first = args.includes('-quit');
  const rest = args.flatMap((arg, at) => {
    if (/^-([LHP]|follow|quit|O\d?)$/.test(arg)) return [];
    if (FIND_IGNORED.test(arg)) return TRUE;
    const types = args[at - 1] === '-type' && /^\w(,\w)+$/.test(arg) ? arg.split(',') : [];
    if (types.length > 0) return [];
    const several = arg === '-type' && /^\w(,\w)+$/.test(args[at + 1] ?? '') ? (args[at + 1] ?? '').split(',') : [];
    if (several.length > 0)
      return ['(', ...several.flatMap((type, n) => [...(n > 0 ? ['-o'] : []), '-type', type]), ')'];
    return [FIND_RENAMED.get(arg) ?? arg];
  });
  if (follow) links.follow = true;
  try {
    const result = await own(rest);
    return first ? { ...result, stdout: result.stdout.slice(0, result.stdout.indexOf('\n') + 1) } : result;
  } finally {
    links.follow = false;
  }
}

/** `-n1` as `-n 1`, as just-bash wants it; `-I` and `-L` take lines, not words. */
function xargsOptions(args: readonly string[]): string[] {
  const end = args.findIndex((arg, at) => !arg.startsWith('-') && !/^-[IndPLs]$/.test(args[at - 1] ?? ''));
  const [options, command] = end < 0 ? [args, []] : [args.slice(0, end), args.slice(end)];
  const apart = options.flatMap((arg) => {
    const [, flag, value] = /^-([IndPL])(.+)$/s.exec(arg) ?? [];
    return flag === undefined || value === undefined ? [arg] : [`-${flag}`, value];
  });
  const byLine =
    apart.some((arg) => arg === '-I' || arg === '-L') && !apart.some((arg) => /^(-0|--null|-d)$/.test(arg));
  return [...(byLine ? ['-d', '\n'] : []), ...apart.map((arg) => (arg === '-L' ? '-n' : arg)), ...command];
}

/** Also `head -n -1`: all but the last lines. */
async function head(args: readonly string[], own: Own): Promise<ExecResult> {
  const at = args.findIndex(
    (arg, n) => /^(-n|--lines=)-\d+$/.test(arg) || (/^-\d+$/.test(arg) && args[n - 1] === '-n'),
  );
  if (at < 0) return own([...args]);
  const left = Number(/\d+$/.exec(args[at] ?? '')?.[0]);
  const from = args[at - 1] === '-n' ? at - 1 : at;
  const result = await own([...args.slice(0, from), '-n', '1000000000', ...args.slice(at + 1)]);
  const lines = result.stdout.split(/(?<=\n)/);
  return { ...result, stdout: lines.slice(0, Math.max(0, lines.length - left)).join('') };
}
