/**
 * The rules of the queue for REPLs in the plainest form: everything is looked at again after every step.
 *
 * @module
 */

import { SECURED_LEVELS } from './tree.ts';

/** A request and what became of it. */
interface Request {
  readonly name: string;
  readonly kind: 'tree' | 'session' | 'child';
  readonly own: number;
  readonly levels: number;
  readonly level: number;
  readonly parent: string;
  state: 'waits' | 'runs' | 'gone';
  /** A child on its level's secured place. */
  secured: boolean;
  /** A child below the secured levels, beyond the limit. */
  deep: boolean;
}

/** Requests in the order they came, and who runs. */
export class ReferenceAdmission {
  readonly #maxRepls: number;
  readonly #requests: Request[] = [];
  /** Names in the order of their grants. */
  readonly granted: string[] = [];

  constructor(maxRepls: number) {
    this.#maxRepls = maxRepls;
  }

  ask(request: Pick<Request, 'name' | 'kind'> & Partial<Pick<Request, 'own' | 'levels' | 'level' | 'parent'>>): void {
    this.#requests.push({
      own: 1,
      levels: 0,
      level: 0,
      parent: '',
      ...request,
      state: 'waits',
      secured: false,
      deep: false,
    });
    this.#settle();
  }

  /** It runs no more, or does not wait any more. */
  end(name: string): void {
    for (const request of this.#requests) if (request.name === name) request.state = 'gone';
    this.#settle();
  }

  /** Places taken or secured. */
  get taken(): number {
    const needs = this.#running.map((it) => (it.kind === 'child' ? Number(!it.secured) : this.#need(it)));
    return needs.reduce((sum, need) => sum + need, 0);
  }

  get #running(): Request[] {
    return this.#requests.filter(({ state }) => state === 'runs');
  }

  #need({ kind, own, levels }: Request): number {
    return kind === 'session' ? 1 : own + Math.min(levels, SECURED_LEVELS);
  }

  #held(tree: string): number {
    const own = this.#running.find(({ name }) => name === tree);
    const further = this.#running.filter(({ parent, secured, deep }) => parent === tree && !secured && !deep);
    return (own === undefined ? 0 : this.#need(own)) + further.length;
  }

  #settle(): void {
    for (;;) {
      const next = this.#securedChild() ?? this.#furtherChild() ?? this.#deepChild() ?? this.#head();
      if (next === undefined) return;
      next.state = 'runs';
      this.granted.push(next.name);
    }
  }

  /** A child whose level's secured place is free. */
  #securedChild(): Request | undefined {
    const child = this.#requests.find(
      ({ kind, state, parent, level }) =>
        kind === 'child' &&
        state === 'waits' &&
        level <= SECURED_LEVELS &&
        !this.#running.some((other) => other.parent === parent && other.level === level && other.secured),
    );
    if (child !== undefined) child.secured = true;
    return child;
  }

  /** A child below the secured levels, of the only tree that may have some beyond the limit: one per level. */
  #deepChild(): Request | undefined {
    const beyond = this.#running.filter(({ deep }) => deep);
    const child = this.#requests.find(
      ({ kind, state, parent, level }) =>
        kind === 'child' &&
        state === 'waits' &&
        level > SECURED_LEVELS &&
        beyond.every((other) => other.parent === parent && other.level !== level),
    );
    if (child !== undefined) child.deep = true;
    return child;
  }

  /** The child that gets a free place. */
  #furtherChild(): Request | undefined {
    if (this.taken >= this.#maxRepls) return undefined;
    const trees = this.#running.filter(({ kind }) => kind === 'tree').length;
    const sessions = this.#running.filter(({ kind }) => kind === 'session').length;
    const share = Math.floor((this.#maxRepls - sessions) / (trees + 1));
    const othersWait = this.#requests.some(({ kind, state }) => kind !== 'child' && state === 'waits');
    const [first] = this.#requests
      .filter(({ kind, state }) => kind === 'child' && state === 'waits')
      .filter(({ parent }) => !othersWait || this.#held(parent) < share)
      // A stable sort: among equals the child that asked first.
      .sort((a, b) => this.#held(a.parent) - this.#held(b.parent));
    return first;
  }

  /** The tree or session that has waited longest, if it fits. */
  #head(): Request | undefined {
    const head = this.#requests.find(({ kind, state }) => kind !== 'child' && state === 'waits');
    if (head === undefined) return undefined;
    const alone = head.kind === 'tree' && !this.#running.some(({ kind }) => kind === 'tree');
    return alone || this.taken + this.#need(head) <= this.#maxRepls ? head : undefined;
  }
}
