import type { Command, Option } from 'commander';

/** A word that the line can continue with. */
export interface Candidate {
  readonly word: string;
  readonly description: string;
}

/** Words that no command declares: they come from the price table and the store. */
export interface Sources {
  readonly models: () => Promise<readonly Candidate[]>;
  readonly runs: (folder: string | undefined) => Promise<readonly Candidate[]>;
  readonly sessions: (folder: string | undefined) => Promise<readonly Candidate[]>;
}

/** The line so far, as the commands read it. */
interface Read {
  readonly command: Command;
  /** The names below `fathom`. */
  readonly path: readonly string[];
  /** Arguments before the current word. */
  readonly given: number;
  /** The option whose value the current word is. */
  readonly pending: Option | undefined;
  readonly store: string | undefined;
}

/**
 * The words that can stand at the end of a line, from the tree of commands itself. Empty: names of files.
 *
 * @param words behind `fathom`; the last one is the one that is being written
 */
export async function candidatesFor(
  root: Command,
  words: readonly string[],
  sources: Sources,
): Promise<readonly Candidate[]> {
  const current = words.at(-1) ?? '';
  const read = readWords(root, words.slice(0, -1));
  const all = await candidates(read, current, sources);
  return all.filter(({ word }) => word.startsWith(current));
}

async function candidates(read: Read, current: string, sources: Sources): Promise<readonly Candidate[]> {
  const { command, pending, given, path, store } = read;
  if (pending !== undefined) return await valuesOf(pending, read, sources);
  if (current.startsWith('-')) return optionsOf(command);
  const names = given === 0 ? subCommandsOf(command) : [];
  if (names.length > 0) return names;
  const [argument] = command.registeredArguments;
  if (given > 0 || argument === undefined) return [];
  if (argument.argChoices !== undefined) return argument.argChoices.map((word) => ({ word, description: '' }));
  if (argument.name() !== 'id') return [];
  return await (path[0] === 'session' ? sources.sessions(store) : sources.runs(store));
}

function readWords(root: Command, words: readonly string[]): Read {
  let command = root;
  const path: string[] = [];
  let given = 0;
  let pending: Option | undefined;
  let store: string | undefined;
  for (const word of words) {
    const option = word.startsWith('-')
      ? command.options.find(({ short, long }) => word === short || word === long)
      : undefined;
    if (option !== undefined) {
      pending = option.required || option.optional ? option : undefined;
      continue;
    }
    if (pending !== undefined) {
      if (pending.attributeName() === 'store') store = word;
      if (!pending.variadic) pending = undefined;
      continue;
    }
    if (word.startsWith('-')) continue;
    const next = given === 0 ? subCommand(command, word) : undefined;
    if (next === undefined) given++;
    else {
      command = next;
      path.push(next.name());
    }
  }
  return { command, path, given, pending, store };
}

function subCommand(command: Command, name: string): Command | undefined {
  return command.commands.find((one) => one.name() === name);
}

function subCommandsOf(command: Command): readonly Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => command.parent === null || one.name() !== 'help')
    .map((one) => ({ word: one.name(), description: one.description() }));
}

function optionsOf(command: Command): readonly Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long, short, description }) => {
      const word = long ?? short;
      return word === undefined || word === null ? [] : [{ word, description }];
    });
}

async function valuesOf(option: Option, { store }: Read, sources: Sources): Promise<readonly Candidate[]> {
  if (option.argChoices !== undefined) return option.argChoices.map((word) => ({ word, description: '' }));
  switch (option.attributeName()) {
    case 'model':
    case 'subModel':
      return await sources.models();
    case 'session':
      return await sources.sessions(store);
    default:
      return [];
  }
}
