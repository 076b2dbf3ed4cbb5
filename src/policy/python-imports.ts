/** The names that imports and assignments bind to dotted names. */
export class ImportNames {
  /** Modules that are imported. */
  readonly modules: Set<string> = new Set();
  /** All names of a module were imported. */
  star = false;
  readonly #aliases = new Map<string, Set<string>>();

  /** Reads an import statement. */
  read(statement: string): void {
    const text = statement
      .replaceAll(/#.*$/gm, '')
      .replaceAll(/[()\\\r\n]/g, ' ')
      .replaceAll(/\s*\.\s*/g, '.')
      .trim();
    const from = /^from\s+(\S+)\s+import\s+(.*)$/.exec(text);
    if (from !== null) {
      const [, module = '', names = ''] = from;
      const base = module.replace(/^\.+/, '');
      this.modules.add(base);
      for (const [name, as] of listed(names)) {
        if (name === '*') this.star = true;
        else {
          // It may be a module of a package, or a name in a module.
          this.modules.add(`${base}.${name}`);
          this.alias(as ?? name, [`${base}.${name}`]);
        }
      }
      return;
    }
    for (const [name, as] of listed(text.replace(/^import\s+/, ''))) {
      this.modules.add(name);
      const [top = name] = name.split('.');
      this.alias(as ?? top, [as === undefined ? top : name]);
    }
  }

  /** Binds a name to others. The name keeps its earlier meanings: which one holds is not followed. */
  alias(name: string, targets: Iterable<string>): void {
    for (const target of targets) {
      if (target === name || target.startsWith(`${name}.`) || target.length > 500) continue;
      const known = this.#aliases.get(name) ?? new Set<string>();
      known.add(target);
      this.#aliases.set(name, known);
    }
  }

  /** A dotted name with its first part resolved. */
  expand(name: string): readonly string[] {
    const [top = '', ...rest] = name.split('.');
    const targets = this.#aliases.get(top);
    return targets === undefined ? [name] : [name, ...[...targets].map((target) => [target, ...rest].join('.'))];
  }
}

/** `a, b as c` as pairs. */
function listed(names: string): readonly (readonly [string, string | undefined])[] {
  return names
    .split(',')
    .map((one) => one.trim().split(/\s+as\s+/))
    .flatMap(([name, as]) => (name === undefined || name === '' ? [] : [[name.trim(), as?.trim()] as const]));
}
