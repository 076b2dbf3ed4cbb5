/**
 * Reads `.gitignore`, `.ignore` and `.fathomignore` files as git and ripgrep do: each applies below its own folder, and the last rule
 * that matches decides.
 *
 * @module
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';

/** Bytes of the longest file of rules that is read: it is untrusted, and each rule costs time for each file. */
const MAX_RULE_BYTES = 1024 * 1024;
/** The last one that has a rule for a file decides. */
const RULE_FILES = ['.gitignore', '.ignore', '.fathomignore'] as const;

interface Layer {
  readonly folder: string;
  readonly rules: Ignore;
}

/** The rules that hold in a folder: its own and those of the folders above it, outermost first. */
export class IgnoreRules {
  readonly #layers: readonly Layer[];

  constructor(layers: readonly Layer[] = []) {
    this.#layers = layers;
  }

  /** With the rules of a folder further in. */
  async within(folder: string): Promise<IgnoreRules> {
    const own = await rulesIn(folder);
    return own === undefined ? this : new IgnoreRules([...this.#layers, { folder, rules: own }]);
  }

  /** Whether a path below these folders is left out. */
  ignores(path: string, folder: boolean): boolean {
    for (const layer of this.#layers.toReversed()) {
      const inside = pathBelow(layer.folder, path);
      const { ignored, unignored } = layer.rules.test(folder ? `${inside}/` : inside);
      if (ignored || unignored) return ignored;
    }
    return false;
  }
}

/** A path relative to a folder, with `/`. Most lie below it, where no parts have to be looked at. */
export function pathBelow(folder: string, path: string): string {
  const direct = path.startsWith(folder) && path[folder.length] === sep;
  const inside = direct ? path.slice(folder.length + 1) : relative(folder, path);
  return sep === '/' ? inside : inside.split(sep).join('/');
}

async function rulesIn(folder: string): Promise<Ignore | undefined> {
  const texts = await Promise.all(RULE_FILES.map((name) => ruleText(join(folder, name))));
  const all = texts.filter((text) => text !== undefined);
  return all.length === 0 ? undefined : ignore({ allowRelativePaths: true }).add(all.join('\n'));
}

/** Undefined where there is no such file, or none that can hold rules. */
async function ruleText(path: string): Promise<string | undefined> {
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isFile() !== true || facts.size > MAX_RULE_BYTES) return undefined;
  return await readFile(path, 'utf8').catch(() => undefined);
}

/**
 * The rules that hold in a folder from above: those of the git repository it lies in. Without effect where they leave the
 * folder itself out, since it was named.
 */
export async function rulesAbove(folder: string): Promise<IgnoreRules> {
  const above: string[] = [];
  let found = false;
  for (let at = folder; !found; at = dirname(at)) {
    if (at !== folder) above.unshift(at);
    found = (await stat(join(at, '.git')).catch(() => undefined)) !== undefined;
    if (!found && dirname(at) === at) return new IgnoreRules();
  }
  let rules = new IgnoreRules();
  for (const one of above) rules = await rules.within(one);
  return rules.ignores(folder, true) ? new IgnoreRules() : rules;
}

/** Patterns in the syntax of `.gitignore`, relative to a folder. */
export function excludeRules(patterns: readonly string[], folder: string): IgnoreRules {
  if (patterns.length === 0) return new IgnoreRules();
  return new IgnoreRules([{ folder, rules: ignore({ allowRelativePaths: true }).add(patterns) }]);
}
