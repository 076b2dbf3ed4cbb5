/** The examples of docs/ai-sdk.md do what the page says. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { askFolder } from '../../examples/agent.ts';
import { cell, rlmOf } from '../engine/harness.ts';
import { startMockProvider } from '../mock-provider/index.ts';
import { toolCall } from './door.ts';

const run = promisify(execFile);
const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'fathom-ai-sdk-docs-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PAGE = readFileSync(path('docs/ai-sdk.md'), 'utf8');
const blocks = [...PAGE.matchAll(/^```(ts|text)\n([\s\S]*?)^```$/gm)].map(([, tag, body = '']) => ({ tag, body }));
/** Each example with what it prints; the last has none, because it is from examples/. */
const examples = blocks.flatMap(({ tag, body }, index) =>
  tag === 'ts' && blocks[index + 1]?.tag === 'text' ? [{ code: body, prints: blocks[index + 1]?.body }] : [],
);

/** Where the names of packages lead in this repository. */
const PACKAGES: Readonly<Record<string, string>> = {
  ai: import.meta.resolve('ai'),
  'fathom-rlm': new URL('../../src/index.ts', import.meta.url).href,
  'fathom-rlm/ai-sdk': new URL('../../src/ai-sdk/index.ts', import.meta.url).href,
  'fathom-rlm/test': new URL('../../src/test.ts', import.meta.url).href,
};

test('it has the examples that this test knows', () => {
  expect(examples).toHaveLength(4);
  expect(blocks.filter(({ tag }) => tag === 'ts')).toHaveLength(5);
});

test.each(examples.map((example, index) => ({ index, ...example })))(
  'example $index prints what the page says',
  async ({ index, code, prints }) => {
    const file = join(folder, `example-${index}.ts`);
    writeFileSync(
      file,
      code.replace(/from '([^']+)'/g, (all, name) => (PACKAGES[name] ? `from '${PACKAGES[name]}'` : all)),
    );
    const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', file], { cwd: folder });
    expect(stdout).toBe(prints);
  },
);

test('the agent is that of examples/agent.ts, and answers from a folder', async () => {
  const block = blocks.findLast(({ tag }) => tag === 'ts')?.body ?? 'nothing';
  expect(readFileSync(path('examples/agent.ts'), 'utf8')).toContain(block);
  const mock = await startMockProvider({
    respond: ({ model, messages, body }) => {
      if (model !== 'agent') return cell('FINAL(len(context))');
      const result = messages.find(({ role }) => role === 'tool')?.content;
      const reply =
        result === undefined
          ? toolCall('ask_files', { question: 'How many files?', paths: ['*.ts'] })
          : { text: `${result} files` };
      return { ...reply, inOnePiece: body.stream !== true };
    },
  });
  onTestFinished(() => mock.close());
  const agent = createOpenAICompatible({ name: 'mock', baseURL: `${mock.url}/v1` }).chatModel('agent');
  const rlm = rlmOf({ model: `${mock.url}/v1#root`, prices: { root: { input: 1, output: 1 } } });
  expect(await askFolder(agent, rlm, path('examples'), 'How many files are there?')).toMatch(/^\d files$/);
});
