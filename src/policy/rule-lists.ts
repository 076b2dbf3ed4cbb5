/** Patterns of names: `os`, `os.system`, `os.*` (everything below), `*`. */
export interface RuleLists {
  /** Everything else is refused, where there is such a list. */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  /** The caller is asked. */
  readonly ask?: readonly string[];
}

/** The effect of a rule on a name. */
export interface RuleHit {
  readonly effect: 'deny' | 'ask';
  /** e.g. `python.calls deny os.system`. */
  readonly rule: string;
  readonly name: string;
  /** For the model. */
  readonly message: string;
}

/** The hit of a name in lists. `deny` wins over `ask`, and `ask` over `allow`. */
export function judgeName(
  name: string,
  lists: RuleLists,
  { label, noun }: { readonly label: string; readonly noun: string },
): RuleHit | undefined {
  for (const effect of ['deny', 'ask'] as const) {
    const pattern = (lists[effect] ?? []).find((one) => matches(name, one));
    if (pattern === undefined) continue;
    const verb = effect === 'deny' ? 'is not allowed' : 'needs the permission of the caller';
    return {
      effect,
      rule: `${label} ${effect} ${pattern}`,
      name,
      message: `${noun} ${name} ${verb}${allowedWords(lists)}`,
    };
  }
  if (lists.allow === undefined || lists.allow.some((one) => matches(name, one))) return undefined;
  return {
    effect: 'deny',
    rule: `${label} allow`,
    name,
    message: `${noun} ${name} is not allowed${allowedWords(lists)}`,
  };
}

function allowedWords({ allow, deny = [] }: RuleLists): string {
  if (allow !== undefined) return `; allowed are ${allow.length === 0 ? 'none' : allow.join(', ')}`;
  return deny.length === 0 ? '' : `; everything but ${deny.join(', ')} is allowed`;
}

/** `os.*` matches `os` and all below it; a plain name matches itself and its own parts: `os.path` matches `os.path.join`. */
export function matches(name: string, pattern: string): boolean {
  if (pattern === '*') return true;
  const base = pattern.endsWith('.*') ? pattern.slice(0, -2) : pattern;
  return name === base || name.startsWith(`${base}.`);
}
