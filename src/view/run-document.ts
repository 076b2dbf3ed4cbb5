import type { RunFacts } from './run-facts.ts';
import type { RunNode } from './run-node.ts';

/** A run with everything that a page shows of it. An exported file holds this object. */
export interface RunDocument {
  readonly format: 'fathom-run';
  readonly version: 1;
  /** `reference`: a log of the reference implementation, which knows less. */
  readonly origin: 'fathom' | 'reference';
  readonly facts: RunFacts;
  /** The whole answer; null without one. */
  readonly text: string | null;
  readonly subModels: readonly string[];
  /** By name, those that are finite. */
  readonly limits: Readonly<Record<string, number>>;
  readonly tree: RunNode;
  /** In words: the content that was left out of an export. */
  readonly leftOut?: string;
}
