/**
 * One assertion for every test file: each run that an `Rlm` of it made has exactly one terminal record, and events numbered
 * without gaps. Runs of other processes (the command, the kill loops) are checked where their stores are read. With
 * `FATHOM_TEST_OLDEST`, the tests run on exactly the oldest Node that the package supports.
 *
 * @module
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, expect } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import type { RunEvent } from '../src/index.ts';
import { checkEvents } from './engine/check-events.ts';
import { endFile } from './file-end.ts';

const CHANNEL = 'fathom-rlm:event';
/** Type and number only: a test's outputs may be large. */
const seen: RunEvent[] = [];

function note(event: unknown): void {
  const { runId, type, seq } = event as RunEvent;
  seen.push({ runId, type, seq } as RunEvent);
}

beforeAll(() => {
  if (process.env.FATHOM_TEST_OLDEST !== undefined) expect(`>=${process.versions.node}`).toBe(manifest.engines.node);
  subscribe(CHANNEL, note);
});

afterAll(async () => {
  await endFile();
  unsubscribe(CHANNEL, note);
  expect(checkEvents(seen)).toEqual([]);
});
