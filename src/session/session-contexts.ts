import type { ContextInput } from '../context/index.ts';
import { contextSource, isNamedContexts, partsOf } from '../context/input.ts';
import { RlmError } from '../errors.ts';
import type { ResolveFile } from '../resume/file-reference.ts';
import { isOnly, type LoadStored, type Part } from '../resume/stored-context.ts';
import type { StoredContext } from '../store/index.ts';
import type { OpenSessionOptions } from './session.ts';

/** The contexts of a session that is opened again: the numbers they have, and what was given for them. */
export class SessionContexts {
  readonly #given: ReadonlyMap<string, Part>;
  /** Numbers of contexts: the session's own is under `''`, those of completions under their run ids. */
  readonly #numbers = new Map<string, number>();
  readonly #names = new Set<string>();

  readonly #resolveFile: ResolveFile | undefined;

  constructor({ context, resolveFile }: Pick<OpenSessionOptions, 'context' | 'resolveFile'>) {
    this.#given = givenParts(context);
    this.#resolveFile = resolveFile;
  }

  /** Adds the contexts that the session, or a completion in it, was given; in the order in which they were bound. */
  add(owner: string, contexts: readonly StoredContext[]): void {
    const there = contexts.filter(({ kind }) => kind !== 'none');
    if (there.length === 0) return;
    const number = this.#numbers.size;
    this.#numbers.set(owner, number);
    for (const { name } of there) this.#names.add(isOnly(name) ? `context_${number}` : name);
  }

  /** @throws RlmError `context-invalid` for a context that the session does not have */
  check(sessionId: string): void {
    const unknown = [...this.#given.keys()].filter((name) => !this.#names.has(name));
    if (unknown.length === 0) return;
    const names = [...this.#names];
    const has = names.length === 0 ? 'it has no context' : `its contexts are ${names.join(', ')}`;
    throw new RlmError({
      code: 'context-invalid',
      message: `Session ${sessionId} has no context ${unknown.join(', ')}: ${has}.`,
      userAction: true,
      data: { id: sessionId, unknown, names },
    });
  }

  /** For seed values and attachments, which cannot be given again: one that is gone raises where it is used. */
  get ofSeeds(): Omit<LoadStored, 'store'> {
    return {
      substitutes: {
        given: () => undefined,
        unavailable: (name, why) =>
          missing(`the value ${name} that a completion of this session was given is gone: ${why}`),
      },
      resolveFile: this.#resolveFile,
    };
  }

  /** How the contexts of the session (`''`), or of a completion in it, are loaded again. */
  access(owner: string): Omit<LoadStored, 'store'> {
    const nameOf = (name: string): string => (isOnly(name) ? `context_${this.#numbers.get(owner) ?? 0}` : name);
    return {
      substitutes: {
        given: (name) => this.#given.get(nameOf(name)),
        unavailable: (name, why) => unavailable(nameOf(name), why),
      },
      resolveFile: this.#resolveFile,
    };
  }
}

/** By name; a context without one is the session's first. */
function givenParts(given: ContextInput | undefined): ReadonlyMap<string, Part> {
  if (given === undefined) return new Map();
  if (isNamedContexts(given)) return new Map(Object.entries(partsOf(given)));
  return new Map([['context_0', given as Part]]);
}

function unavailable(name: string, why: string): Part {
  return missing(
    `the context ${name} is not available: ${why}. Hand it over again: openSession(id, { context: contexts({ ${name}: … }) })`,
  );
}

function missing(message: string): Part {
  return contextSource(() =>
    Promise.resolve({
      value: { kind: 'unavailable', message },
      type: 'unavailable',
      size: undefined,
      unit: 'characters',
      preview: undefined,
      empty: false,
    }),
  );
}
