import type { SyntaxNode, Tree } from '@lezer/common';
import { parser } from '@lezer/python';
import { children, constantText, isValue } from './python-constants.ts';
import { DYNAMIC_ATTRIBUTES, DYNAMIC_MODULES, DYNAMIC_NAMES, SHELLS } from './python-dynamic.ts';
import { ImportNames } from './python-imports.ts';

/** The names that a piece of Python uses, as far as its text says. */
export interface PythonFindings {
  /** Modules that are imported, dotted. */
  readonly imports: ReadonlySet<string>;
  /** Dotted names that are called or passed on, with aliases resolved: `os.system` also for `from os import system as s; s()`. */
  readonly references: ReadonlySet<string>;
  /** Names of attributes that are read or set, also by `getattr` with a constant. */
  readonly attributes: ReadonlySet<string>;
  /** Code whose names the text does not say, in words, e.g. `eval`. */
  readonly dynamic: ReadonlySet<string>;
  /** Constant texts that are given to a shell, and undefined for each that is computed. */
  readonly shell: readonly (string | undefined)[];
  /** Parts of the text could not be parsed. */
  readonly broken: boolean;
}

/** Reads a piece of Python. */
export function findInPython(source: string): PythonFindings {
  return new Reader(source).findings;
}

class Reader {
  readonly findings: {
    readonly imports: Set<string>;
    readonly references: Set<string>;
    readonly attributes: Set<string>;
    readonly dynamic: Set<string>;
    readonly shell: (string | undefined)[];
    broken: boolean;
  } = {
    imports: new Set(),
    references: new Set(),
    attributes: new Set(),
    dynamic: new Set(),
    shell: [],
    broken: false,
  };
  readonly #source: string;
  readonly #names = new ImportNames();

  constructor(source: string) {
    this.#source = source;
    const tree = parser.parse(source);
    const nodes = nodesOf(tree);
    this.findings.broken = nodes.some(({ type }) => type.isError);
    // An alias of an alias is known after the second pass.
    for (let pass = 0; pass < 3; pass++) for (const node of nodes) this.#bind(node);
    for (const node of nodes) this.#read(node);
    for (const name of this.#names.modules) this.#import(name);
    if (this.#names.star) this.findings.dynamic.add('from … import *');
  }

  #text(node: SyntaxNode): string {
    return this.#source.slice(node.from, node.to);
  }

  #import(module: string): void {
    this.findings.imports.add(module);
    this.findings.references.add(module);
    const dynamic = DYNAMIC_MODULES.find((one) => module === one || module.startsWith(`${one}.`));
    if (dynamic !== undefined) this.findings.dynamic.add(`import ${dynamic}`);
  }

  /** Learns the names that a statement binds to others. */
  #bind(node: SyntaxNode): void {
    if (node.name === 'ImportStatement') this.#names.read(this.#text(node));
    if (node.name !== 'AssignStatement' && node.name !== 'NamedExpression' && node.name !== 'ForStatement') return;
    const parts = children(node);
    const sides: SyntaxNode[][] = [[]];
    for (const part of parts) {
      if (part.name === 'AssignOp' || part.name === 'in') sides.push([]);
      else if (isValue(part) && part.name !== 'Body' && part.name !== 'TypeDef') sides.at(-1)?.push(part);
    }
    const values = (sides.pop() ?? []).flatMap((value) => (isList(value) ? children(value).filter(isValue) : [value]));
    for (const targets of sides) {
      const names = targets.flatMap((target) => (isList(target) ? children(target).filter(isValue) : [target]));
      for (const [index, target] of names.entries()) {
        if (target.name !== 'VariableName') continue;
        // Items of a list go to any of its targets.
        const sources = values.length === names.length && node.name !== 'ForStatement' ? [values[index]] : values;
        for (const value of sources)
          if (value !== undefined) this.#names.alias(this.#text(target), this.#resolve(value));
      }
    }
  }

  #read(node: SyntaxNode): void {
    switch (node.name) {
      case 'VariableName':
      case 'MemberExpression':
        this.#reference(node);
        break;
      case 'Decorator':
        this.#refer(this.#names.expand(this.#text(node).replace(/^@/, '').split('(')[0]?.trim() ?? ''));
        break;
      case 'CallExpression':
        this.#call(node);
        break;
      default:
    }
  }

  #reference(node: SyntaxNode): void {
    if (node.name === 'MemberExpression') {
      const last = children(node).filter(isValue).at(-1);
      if (last?.name === 'PropertyName') this.#attribute(this.#text(last));
    }
    this.#refer(this.#resolve(node));
  }

  #refer(names: Iterable<string>): void {
    for (const name of names) {
      this.findings.references.add(name);
      if (DYNAMIC_NAMES.has(name)) this.findings.dynamic.add(name);
    }
  }

  #attribute(name: string): void {
    this.findings.attributes.add(name);
    if (DYNAMIC_ATTRIBUTES.has(name)) this.findings.dynamic.add(`.${name}`);
  }

  #call(node: SyntaxNode): void {
    const callee = node.firstChild;
    if (callee === null) return;
    const names = this.#resolve(callee);
    this.#refer(names);
    // The result of a call by name: `getattr(os, "system")` is a reference as well.
    this.#refer(this.#resolve(node));
    const args = argumentsOf(node);
    const constant = constantText(args[1] ?? null, this.#source);
    if (names.has('getattr') || names.has('setattr') || names.has('delattr') || names.has('hasattr')) {
      if (constant !== undefined) this.#attribute(constant);
      else this.findings.dynamic.add('getattr with a computed name');
    }
    if (names.has('vars') && args.length === 0) this.findings.dynamic.add('vars()');
    if ([...names].some((name) => SHELLS.has(name))) this.findings.shell.push(this.#shellText(args[0]));
  }

  #shellText(argument: SyntaxNode | undefined): string | undefined {
    if (argument === undefined || !isList(argument)) return constantText(argument ?? null, this.#source);
    const words = children(argument)
      .filter(isValue)
      .map((item) => constantText(item, this.#source));
    if (words.includes(undefined)) return undefined;
    return words.map((word) => `'${(word ?? '').replaceAll("'", "'\\''")}'`).join(' ');
  }

  /** The dotted names that an expression may be. */
  #resolve(node: SyntaxNode): ReadonlySet<string> {
    switch (node.name) {
      case 'VariableName':
        return new Set(this.#names.expand(this.#text(node)));
      case 'ParenthesizedExpression':
      case 'NamedExpression':
      case 'BinaryExpression':
      case 'ConditionalExpression':
      case 'AwaitExpression':
        return new Set(
          children(node)
            .filter(isValue)
            .flatMap((child) => [...this.#resolve(child)]),
        );
      case 'MemberExpression':
        return this.#resolveMember(node);
      case 'CallExpression':
        return this.#resolveCall(node);
      default:
        return new Set();
    }
  }

  #resolveMember(node: SyntaxNode): ReadonlySet<string> {
    const [base, ...rest] = children(node).filter(isValue);
    const last = rest.at(-1);
    if (base === undefined || last === undefined) return new Set();
    const bases = [...this.#resolve(base)];
    if (isList(base))
      return new Set(
        children(base)
          .filter(isValue)
          .flatMap((item) => [...this.#resolve(item)]),
      );
    const key = last.name === 'PropertyName' ? this.#text(last) : constantText(last, this.#source);
    if (key === undefined) return new Set(bases);
    // The mapping of a module's names, and what a module imported itself.
    return new Set(
      bases.map((name) =>
        name.endsWith('.__dict__') ? `${name.slice(0, -'.__dict__'.length)}.${key}` : `${name}.${key}`,
      ),
    );
  }

  #resolveCall(node: SyntaxNode): ReadonlySet<string> {
    const callee = node.firstChild;
    const [first, second] = argumentsOf(node);
    const names = callee === null ? new Set<string>() : this.#resolve(callee);
    if (names.has('getattr') && first !== undefined) {
      const attribute = constantText(second ?? null, this.#source);
      return new Set(attribute === undefined ? [] : [...this.#resolve(first)].map((name) => `${name}.${attribute}`));
    }
    if (names.has('vars') && first !== undefined)
      return new Set([...this.#resolve(first)].map((name) => `${name}.__dict__`));
    if (names.has('__import__') || names.has('importlib.import_module')) {
      const module = constantText(first ?? null, this.#source);
      if (module !== undefined) this.#import(module);
      return new Set(module === undefined ? [] : [module]);
    }
    if (names.has('functools.partial') && first !== undefined) return this.#resolve(first);
    return names;
  }
}

function nodesOf(tree: Tree): readonly SyntaxNode[] {
  const nodes: SyntaxNode[] = [];
  tree.iterate({ enter: ({ node }) => void nodes.push(node) });
  return nodes;
}

function argumentsOf(call: SyntaxNode): readonly SyntaxNode[] {
  const list = call.lastChild;
  return list?.name === 'ArgList' ? children(list).filter(isValue) : [];
}

function isList({ name }: SyntaxNode): boolean {
  return name === 'ArrayExpression' || name === 'TupleExpression' || name === 'SetExpression';
}
