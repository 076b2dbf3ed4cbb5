import { type Command, parse, type Word } from 'unbash';

/** The commands that a shell script runs, as far as its text says. */
export interface BashFindings {
  /** Names of commands, without their folder: `rm` also for `/bin/rm`, `\rm`, `r''m`, `env rm`, `$(rm x)`, `sh -c 'rm x'`. */
  readonly commands: ReadonlySet<string>;
  /** Commands whose names the text does not say, in words. */
  readonly dynamic: ReadonlySet<string>;
  /** Constant programs that are given to Python. */
  readonly python: readonly string[];
  readonly broken: boolean;
}

/** Commands that run the command in their arguments; options of a few take a value. */
const WRAPPERS: Readonly<Record<string, string>> = {
  ...{
    env: 'uSC',
    command: '',
    builtin: '',
    exec: 'a',
    nohup: '',
    nice: 'n',
    time: 'fo',
    timeout: 'ks',
    xargs: 'InPLdEsa',
  },
  ...{
    sudo: 'ugp',
    doas: 'u',
    busybox: '',
    stdbuf: 'ioe',
    setsid: '',
    ionice: 'cn',
    chroot: '',
    watch: 'n',
    parallel: 'j',
  },
};
const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'zsh', 'ksh', 'ash']);
const PYTHONS = /^python[\d.]*$|^pypy\d*$/;
/** Interpreters of other languages: their programs are not read. */
const INTERPRETERS: ReadonlySet<string> = new Set([
  'perl',
  'ruby',
  'node',
  'php',
  'lua',
  'awk',
  'gawk',
  'mawk',
  'osascript',
  'tclsh',
]);
/** Scripts within scripts that are read. */
const MOST_LEVELS = 8;

/** Reads a shell script. */
export function findInBash(source: string): BashFindings {
  const reader = new Reader();
  reader.script(source, 0);
  return reader.findings;
}

class Reader {
  readonly findings: {
    readonly commands: Set<string>;
    readonly dynamic: Set<string>;
    readonly python: string[];
    broken: boolean;
  } = { commands: new Set(), dynamic: new Set(), python: [], broken: false };

  script(source: string, level: number): void {
    if (level > MOST_LEVELS) {
      this.findings.dynamic.add('scripts within scripts');
      return;
    }
    try {
      const script = parse(source);
      if ((script.errors ?? []).length > 0) this.findings.broken = true;
      this.#walk(script, level, new Set());
    } catch {
      // The shell will refuse it as well; the policy says that it cannot read it.
      this.findings.broken = true;
    }
  }

  /** Visits every part of a tree: scripts in substitutions, bodies, conditions, words of arguments. */
  #walk(node: unknown, level: number, seen: Set<unknown>): void {
    if (typeof node !== 'object' || node === null || seen.has(node)) return;
    seen.add(node);
    if (Array.isArray(node)) {
      for (const item of node) this.#walk(item, level, seen);
      return;
    }
    const record = node as Readonly<Record<string, unknown>>;
    if (record.type === 'Command') this.#command(node as Command, level);
    // Some parts are computed when they are read.
    for (const key of new Set([...Object.keys(record), 'parts', 'script', 'body', 'indexParts']))
      this.#walk(record[key], level, seen);
  }

  #command({ name, suffix, redirects }: Command, level: number): void {
    if (name === undefined) return;
    const words = [name, ...suffix];
    const documents = redirects.filter(({ operator }) => operator.startsWith('<<'));
    const input = documents.map(({ content, body, target, operator }) =>
      operator === '<<<' ? constant(target) : (content ?? constant(body)),
    );
    this.#run(words, { level, input });
  }

  #run(
    words: readonly Word[],
    { level, input }: { readonly level: number; readonly input: readonly (string | undefined)[] },
  ): void {
    const [first, ...rest] = words;
    if (first === undefined) return;
    const path = constant(first);
    if (path === undefined || /[*?[\]{}]/.test(path)) {
      this.findings.dynamic.add(`a computed command name (${first.text.slice(0, 60)})`);
      return;
    }
    const name = path.split('/').at(-1) ?? path;
    this.findings.commands.add(name);
    const next = { level: level + 1, input };
    const options = Object.hasOwn(WRAPPERS, name) ? WRAPPERS[name] : undefined;
    if (options !== undefined) this.#run(afterOptions(rest, { options, name }), { level, input });
    else if (SHELLS.has(name)) this.#shell(rest, next);
    else if (PYTHONS.test(name)) this.#python(rest, next);
    else if (name === 'eval')
      this.#scriptOf(
        rest.map((word) => constant(word)),
        level,
        'eval of a computed text',
      );
    else if (name === 'source' || name === '.') this.findings.dynamic.add('a sourced file');
    else if (name === 'alias' || name === 'trap')
      this.#scriptOf(
        rest.slice(0, 1).map((word) => constant(word)?.replace(/^\w+=/, '')),
        level,
        name,
      );
    else if (name === 'find' || name === 'fd') this.#find(rest, next);
    else if (INTERPRETERS.has(name)) this.findings.dynamic.add(`a program for ${name}`);
  }

  #shell(
    args: readonly Word[],
    { level, input }: { readonly level: number; readonly input: readonly (string | undefined)[] },
  ): void {
    const at = args.findIndex((word) => /^-\w*c\w*$/.test(constant(word) ?? ''));
    if (at >= 0) this.#scriptOf([constant(args[at + 1])], level, 'sh -c with a computed text');
    else if (input.length > 0) this.#scriptOf(input, level, 'a shell that reads a computed text');
    else this.findings.dynamic.add('a shell that reads its commands from a pipe or a file');
  }

  #python(args: readonly Word[], { input }: { readonly input: readonly (string | undefined)[] }): void {
    const at = args.findIndex((word) => /^-\w*c$/.test(constant(word) ?? ''));
    const programs = at >= 0 ? [constant(args[at + 1])] : input;
    if (programs.length === 0) this.findings.dynamic.add('a Python program from a pipe or a file');
    for (const program of programs) {
      if (program === undefined) this.findings.dynamic.add('a computed Python program');
      else this.findings.python.push(program);
    }
  }

  #find(
    args: readonly Word[],
    next: { readonly level: number; readonly input: readonly (string | undefined)[] },
  ): void {
    for (const [index, word] of args.entries()) {
      const option = constant(word) ?? '';
      if (/^-(?:exec|execdir|ok|okdir)$/.test(option)) this.#run(args.slice(index + 1), next);
      if (option === '-delete') this.findings.commands.add('rm');
    }
  }

  #scriptOf(texts: readonly (string | undefined)[], level: number, otherwise: string): void {
    if (texts.includes(undefined)) this.findings.dynamic.add(otherwise);
    else this.script(texts.join(' '), level + 1);
  }
}

function afterOptions(
  words: readonly Word[],
  { options, name }: { readonly options: string; readonly name: string },
): readonly Word[] {
  let index = 0;
  // `timeout 5 rm`, `chroot / rm`: the first plain word is a value.
  let values = name === 'timeout' || name === 'chroot' ? 1 : 0;
  for (; index < words.length; index++) {
    const text = constant(words[index]) ?? '';
    if (text.startsWith('-')) {
      if (text.length === 2 && options.includes(text[1] ?? ' ')) index += 1;
      continue;
    }
    if (/^\w+=/.test(text)) continue;
    if (values === 0) break;
    values -= 1;
  }
  return words.slice(index);
}

/** The text of a word that no expansion changes. */
function constant(word: Word | undefined): string | undefined {
  if (word === undefined) return undefined;
  const { parts } = word;
  if (parts === undefined) return /[$`]/.test(word.text) && word.text === word.value ? undefined : word.value;
  const texts = parts.map((part) => {
    if (part.type === 'Literal' || part.type === 'SingleQuoted' || part.type === 'AnsiCQuoted') return part.value;
    if (part.type === 'DoubleQuoted')
      return part.parts.every(({ type }) => type === 'Literal')
        ? part.parts.map((one) => ('value' in one ? one.value : '')).join('')
        : undefined;
    return undefined;
  });
  return texts.includes(undefined) ? undefined : texts.join('');
}
