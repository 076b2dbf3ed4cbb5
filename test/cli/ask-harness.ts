/** A folder with documents and a mock provider for tests of `fathom ask`; one of each for every file that imports it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { type MockProvider, type MockReply, type MockRequest, startMockProvider } from '../mock-provider/index.ts';
import { type FathomOptions, type FathomOutcome, runFathom } from './run-fathom.ts';

export let folder = '';
export let mock: MockProvider;

/** How many replies of its own the model has been shown. */
export const turnOf = ({ messages }: MockRequest): number => messages.filter(({ role }) => role === 'assistant').length;
/** The engine asks for the best answer now. */
export const isLastCall = ({ prompt }: MockRequest): boolean => prompt.includes('The run ends here');
export const cell = (code: string): string => `\`\`\`python\n${code}\n\`\`\``;
export const playing = (...replies: readonly MockReply[]): void =>
  mock.respondWith((request) => replies[Math.min(turnOf(request), replies.length - 1)] ?? 'FINAL("end")');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-cli-'));
  mkdirSync(join(folder, 'docs'));
  writeFileSync(join(folder, 'docs', 'a.txt'), 'alpha');
  writeFileSync(join(folder, 'docs', 'b.txt'), 'beta beta');
  mock = await startMockProvider({ respond: () => 'FINAL("end")' });
});

afterEach(() => playing('FINAL("end")'));

afterAll(async () => {
  await mock.close();
  rmSync(folder, { recursive: true, force: true });
});

export const ask = (args: readonly string[], options: FathomOptions = {}): Promise<FathomOutcome> =>
  runFathom(['ask', ...args], { cwd: folder, ...options, env: { ...mock.env, ...options.env } });
