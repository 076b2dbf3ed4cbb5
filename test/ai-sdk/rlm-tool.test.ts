/** An `Rlm` as a tool of another agent: the agent's model and the models of the run are one provider on loopback. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, isStepCount, streamText, ToolLoopAgent } from 'ai';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type RlmToolInput, type RlmToolOptions, type RlmToolOutput, rlmTool } from '../../src/ai-sdk/index.ts';
import type { RlmOptions } from '../../src/index.ts';
import { cell } from '../engine/harness.ts';
import type { MockReply, MockRequest } from '../mock-provider/index.ts';
import { type Door, doorOf, toolCall } from './door.ts';

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'fathom-rlm-tool-'));
  mkdirSync(join(root, 'docs'));
  for (const [name, text] of [
    ['docs/a.md', 'alpha'],
    ['docs/b.md', 'beta'],
    ['.env', 'KEY=1'],
  ] as const) {
    writeFileSync(join(root, name), text);
  }
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Scene {
  readonly input: unknown;
  /** Of the run's root model. */
  readonly replies: readonly MockReply[];
  readonly tool?: RlmToolOptions;
  readonly rlm?: Partial<RlmOptions>;
}

/** An agent whose model calls the tool once and then repeats the result, and the tool. */
async function agentOf({ input, replies, tool, rlm }: Scene) {
  let next = 0;
  const respond = ({ model, messages, body }: MockRequest): MockReply => {
    if (model !== 'brain') return replies[Math.min(next++, replies.length - 1)] ?? '';
    const result = messages.find(({ role }) => role === 'tool');
    const reply = result === undefined ? toolCall('ask', input) : { text: `It says: ${result.content}` };
    return { ...reply, inOnePiece: body.stream !== true };
  };
  const door = await doorOf(respond, rlm === undefined ? {} : { rlm });
  const brain = createOpenAICompatible({ name: 'mock', baseURL: `${door.mock.url}/v1` }).chatModel('brain');
  return { door, model: brain, tools: { ask: rlmTool(door.rlm, tool) }, stopWhen: isStepCount(3), prompt: 'go' };
}

const words = ({ mock }: Door, model: string): string =>
  JSON.stringify(mock.calls.filter(({ request }) => request.model === model).map(({ request }) => request.body));

describe('an agent with rlmTool', () => {
  it('gets the answer about a text, which is in no request of its own after that', async () => {
    const { door, ...ask } = await agentOf({
      input: { question: 'How long?', text: 'four' },
      replies: [cell('FINAL(len(context))')],
    });
    const { text, steps } = await generateText(ask);
    expect(text).toBe('It says: 4');
    expect(steps[0]?.toolResults[0]?.output).toMatchObject({
      ...{ state: 'answered', answer: '4', outcome: 'converged', stop: 'final', turns: 1, subCalls: 0, costUsd: null },
      runId: door.events[0]?.runId,
    });
    expect(words(door, 'brain')).toContain('also far larger than your own context window');
    expect(words(door, 'brain')).not.toContain('paths');
  });

  it('works in a ToolLoopAgent, with files below the roots', async () => {
    const { door, model, tools } = await agentOf({
      input: { question: 'Join them.', paths: ['docs/*.md'], text: '!' },
      replies: [cell('FINAL("+".join(d.text for d in files) + text)')],
      tool: { roots: [root] },
    });
    const agent = new ToolLoopAgent({ model, tools });
    expect((await agent.generate({ prompt: 'go' })).text).toBe('It says: alpha+beta!');
    expect(words(door, 'brain')).toContain(`Relative ones start at ${root}`);
    expect(words(door, 'brain')).not.toContain('alpha"');
  });

  it('streams progress as preliminary results', async () => {
    const { door, ...ask } = await agentOf({
      input: { question: 'How long?', text: 'four' },
      replies: [cell('n = len(context)', 'print(n)'), 'FINAL_VAR(n)'],
    });
    const outputs: RlmToolOutput[] = [];
    for await (const part of streamText(ask).stream) {
      if (part.type === 'tool-result' && part.dynamic !== true) outputs.push(part.output);
    }
    const turns = outputs.flatMap((output) => (output.state === 'running' ? [output.turn] : []));
    expect(turns.length).toBeGreaterThanOrEqual(3);
    expect(turns).toEqual(turns.toSorted());
    expect(turns).toContain(2);
    expect(outputs.at(-1)).toMatchObject({ state: 'answered', answer: '4' });
  });

  it('reads a note where the answer is cut off or is the best at a limit', async () => {
    const cut = await agentOf({
      ...{ input: { question: 'q' }, replies: ['FINAL("abcdefgh")'], tool: { maxAnswerTokens: 1 } },
    });
    expect((await generateText(cut)).text).toMatch(
      /^It says: abcd\n\n\[The answer has 8 characters; these are the first 4\./,
    );
    const limited = await agentOf({
      ...{ input: { question: 'q' }, replies: [cell('x = 1'), 'a guess'], tool: { limits: { maxTurns: 1 } } },
    });
    expect((await generateText(limited)).text).toMatch(
      /^It says: a guess\n\n\[The run ended at a limit, and this is its best answer: .*turn/,
    );
  });

  it.each([
    ['a path that leads out', { question: 'q', paths: ['../x'] }, /outside of the folders/],
    ['a file of secrets', { question: 'q', paths: ['.env'] }, /keys or passwords/],
    ['a path that does not exist', { question: 'q', paths: ['nowhere.txt'] }, /nowhere\.txt/],
    ['a missing question', { text: 'x' }, /question/],
    ['a blank question', { question: ' ' }, /query/],
    ['an unknown argument', { question: 'q', file: 'x' }, /file/],
  ])('reads why %s is refused, before anything is spent', async (_, input, message) => {
    const { door, ...ask } = await agentOf({ input, replies: ['FINAL("no")'], tool: { roots: [root] } });
    expect((await generateText(ask)).text).toMatch(message);
    expect(door.mock.calls.filter(({ request }) => request.model !== 'brain')).toEqual([]);
  });

  it('reads why a run failed; the error is that of the run', async () => {
    const { door, ...ask } = await agentOf({
      ...{ input: { question: 'q' }, replies: [{ fault: 'status', status: 400, error: { message: 'no such thing' } }] },
    });
    const { text, steps } = await generateText(ask);
    expect(text).toContain('no such thing');
    const failed = steps[0]?.content.find((part) => part.type === 'tool-error');
    expect(failed?.error).toMatchObject({ code: 'bad-request', result: { runId: door.events[0]?.runId } });
  });

  it('cancels the run when the agent is aborted', async () => {
    const { door, ...ask } = await agentOf({ input: { question: 'q' }, replies: [{ fault: 'hang-before-headers' }] });
    const controller = new AbortController();
    const end = generateText({ ...ask, abortSignal: controller.signal }).catch((error: unknown) => error);
    await vi.waitFor(() => expect(door.events.map(({ type }) => type)).toContain('turn.started'), 20_000);
    controller.abort();
    expect(await end).toMatchObject({ name: 'AbortError' });
    expect(door.events.at(-1)).toMatchObject({ type: 'run.completed', outcome: 'aborted' });
  });

  it('cancels the run when the reader of its results leaves', async () => {
    const { door, tools } = await agentOf({ input: {}, replies: [{ fault: 'hang-before-headers' }] });
    const input: RlmToolInput = { question: 'q' };
    const results = tools.ask.execute?.(input, { toolCallId: '1', messages: [], context: {} });
    for await (const output of results as AsyncIterable<RlmToolOutput>) {
      if (output.state === 'running' && output.turn === 1) break;
    }
    await vi.waitFor(() => expect(door.events.at(-1)).toMatchObject({ type: 'run.completed', outcome: 'aborted' }));
  });
});

describe('options of rlmTool', () => {
  it.each([
    [{ roots: [] }, /roots/],
    [{ roots: 'docs' }, /roots/],
    [{ maxAnswerTokens: 0 }, /maxAnswerTokens/],
    [{ rootz: ['x'] }, /Did you mean roots/],
  ])('%j are refused', (options, message) => {
    expect(() => rlmTool({} as never, options as never)).toThrow(
      expect.objectContaining({ code: 'invalid-option', message: expect.stringMatching(message) }),
    );
  });

  it('names a root that does not exist', async () => {
    const { door, ...ask } = await agentOf({
      ...{ input: { question: 'q', paths: ['x'] }, replies: [], tool: { roots: ['/nowhere/at-all'] } },
    });
    expect((await generateText(ask)).text).toContain('/nowhere/at-all');
  });
});
