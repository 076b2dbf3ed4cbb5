/**
 * The conformance suite of the REPL port: the same words for every backend.
 *
 * @example
 * ```ts
 * // src/repl/pyodide/conformance.test.ts
 * describeReplConformance('pyodide', async () => pyodideBackend(), { least: 'process', threads: false, … });
 * describeHostileCells('pyodide', async () => pyodideBackend(), { … });
 * ```
 *
 * @module
 */
import { afterAll, describe } from 'vitest';
import type { ReplBackend } from '../../src/repl/port.ts';
import { describeAnswers } from './answers.ts';
import { type Bench, type ReplCapabilities, useBench } from './bench.ts';
import { describeCells } from './cells.ts';
import { describeConcurrency } from './concurrency.ts';
import { describeContextFiles } from './context-files.ts';
import { describeFiles } from './files.ts';
import { describeForgedFrames } from './forged-frames.ts';
import { describeHostile } from './hostile.ts';
import { describeInTheMiddle } from './in-the-middle.ts';
import { describeLate } from './late.ts';
import { describeLazyValues } from './lazy-values.ts';
import { describeLife } from './life.ts';
import { describeNames } from './names.ts';
import { describeOutput } from './output.ts';
import { describePaging } from './paging.ts';
import { describeQueries } from './queries.ts';
import { describeReads } from './reads.ts';
import { describeSabotage } from './sabotage.ts';
import { describeSizes } from './sizes.ts';
import { describeValues } from './values.ts';

export type { ReplCapabilities } from './bench.ts';

type OpenBackend = () => Promise<ReplBackend>;

const TOPICS = [
  describeCells,
  describeOutput,
  describeNames,
  describeAnswers,
  describeQueries,
  describeConcurrency,
  describeLate,
  describeSabotage,
  describeLazyValues,
  describeValues,
  describeFiles,
  describePaging,
  describeReads,
  describeLife,
  describeContextFiles,
];

function describeTopics(topics: typeof TOPICS, openBackend: OpenBackend, capabilities: ReplCapabilities): void {
  const lend = shareBackend(openBackend);
  for (const topic of topics) {
    describe(topic.name, () => {
      const bench: Bench = useBench(lend, capabilities);
      topic(() => bench);
    });
  }
}

/** One backend for all topics of the surrounding `describe`: to start one and prove its walls takes longer than many a topic. */
function shareBackend(openBackend: OpenBackend): OpenBackend {
  let opened: Promise<ReplBackend> | undefined;
  afterAll(async () => await (await opened)?.close());
  return async () => {
    opened ??= openBackend();
    const shared = await opened;
    return { name: shared.name, open: (options) => shared.open(options), close: async () => {} };
  };
}

/** The topics that depend on what the user who runs the backend may do. `npm run soak` runs all for each user. */
const TOPICS_OF_THE_USER =
  process.env.FATHOM_SOAK === undefined
    ? [describeSabotage, describeFiles, describeLife, describeContextFiles]
    : TOPICS;

/** The tests of the REPL port that every backend passes. Each topic has a REPL of its own. */
export function describeReplConformance(name: string, openBackend: OpenBackend, capabilities: ReplCapabilities): void {
  describe(`${name}: REPL contract`, () => describeTopics(TOPICS, openBackend, capabilities));
}

/** Those of them that may differ for another user of a backend that passes them all. */
export function describeOtherUser(name: string, openBackend: OpenBackend, capabilities: ReplCapabilities): void {
  describe(`${name}: REPL contract`, () => describeTopics(TOPICS_OF_THE_USER, openBackend, capabilities));
}

/** Cells that mean harm; cells a backend cannot meet are skipped by its capabilities. */
export function describeHostileCells(name: string, openBackend: OpenBackend, capabilities: ReplCapabilities): void {
  describe(`${name}: hostile cells`, () =>
    describeTopics(
      [describeHostile, describeForgedFrames, describeInTheMiddle, describeSizes],
      openBackend,
      capabilities,
    ));
}
