import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { expect, onTestFinished, test } from 'vitest';
import { askFolder } from '../../examples/agent.ts';
import { cell, rlmOf } from '../engine/harness.ts';
import { docExamples } from '../examples/doc-examples.ts';
import { startMockProvider } from '../mock-provider/index.ts';
import { toolCall } from './door.ts';

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

test('the agent of docs/ai-sdk.md is that of examples/agent.ts, and answers from a folder', async () => {
  const [example] = docExamples('ai-sdk.md').filter(({ prints }) => prints === undefined);
  expect(readFileSync(path('examples/agent.ts'), 'utf8')).toContain(example?.code ?? 'an example');
  const mock = await startMockProvider({
    respond: ({ model, messages, body }) => {
      if (model !== 'agent') return cell('FINAL(len(context))');
      const result = messages.find(({ role }) => role === 'tool')?.content;
      const asked = { question: 'How many files?', paths: ['*.ts'] };
      const reply = result === undefined ? toolCall('ask_files', asked) : { text: `${result} files` };
      return { ...reply, inOnePiece: body.stream !== true };
    },
  });
  onTestFinished(() => mock.close());
  const agent = createOpenAICompatible({ name: 'mock', baseURL: `${mock.url}/v1` }).chatModel('agent');
  const rlm = rlmOf({ model: `${mock.url}/v1#root`, prices: { root: { input: 1, output: 1 } } });
  expect(await askFolder(agent, rlm, path('examples'), 'How many files are there?')).toMatch(/^\d files$/);
});
