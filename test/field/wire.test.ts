/** Rows 14, 15, 16, 12 and 22 over a real socket: channels, tool calls and notices as servers send them. */
import { afterAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell, rlmOf } from '../engine/harness.ts';
import { startWire, type Wire, type WireReply } from './wire.ts';

const open: Wire[] = [];
afterAll(() => Promise.all(open.map((wire) => wire.close())));

const LOOK = cell('print(len(context))');
const content = (text: string): WireReply => ({ message: { content: text } });
const toolCall = (name: string, input: object): WireReply => ({
  message: {
    content: null,
    tool_calls: [{ id: 'c', type: 'function', function: { name, arguments: JSON.stringify(input) } }],
  },
  finish: 'tool_calls',
});

/** Plays replies of the root over the wire. */
async function playWire(replies: readonly WireReply[]) {
  const wire = await startWire((_, index) => replies[Math.min(index, replies.length - 1)] ?? content('FINAL(end)'));
  open.push(wire);
  const events: RunEvent[] = [];
  const rlm = rlmOf({ model: wire.ref, subModel: scriptedModel(['unused']), onEvent: (event) => events.push(event) });
  const result = await rlm.completion({ query: 'q', context: 'eleven char' });
  const last = (index: number): string => wire.requests[index]?.messages.at(-1)?.content ?? '';
  return { result, events, last, requests: wire.requests };
}

/** Runs a cell that asks a sub-model, which sends `replies`. */
async function askSub(code: readonly string[], replies: readonly WireReply[], context = 'x') {
  const wire = await startWire((_, index) => replies[Math.min(index, replies.length - 1)] ?? content(''));
  open.push(wire);
  const events: RunEvent[] = [];
  const rlm = rlmOf({
    model: scriptedModel([cell(...code)]),
    subModel: wire.ref,
    onEvent: (event) => events.push(event),
  });
  const result = await rlm.completion({ query: 'q', context });
  return { answer: result.text, events, requests: wire.requests };
}

describe('only reasoning came', () => {
  it.each(['reasoning', 'reasoning_content'])(
    'in %s, of a sub-call: an error with the text at hand, asked once',
    async (field) => {
      const code = ['try: llm_query("a")', 'except LLMError as e: FINAL([str(e), e.reasoning])'];
      const { answer, requests } = await askSub(code, [{ message: { content: null, [field]: 'VAULT-77' } }]);
      expect(JSON.parse(answer)).toEqual([expect.stringContaining('only reasoning'), 'VAULT-77']);
      expect(requests).toHaveLength(1);
    },
  );

  it.each(['<think>VAULT-77</think>', '<think>VAULT-77', '[THINK]VAULT-77[/THINK]'])(
    'in the text as %s',
    async (text) => {
      const code = ['r = llm_query_batched(["a"])[0]', 'FINAL([r.ok, str(r), r.reasoning, r.error["message"]])'];
      const { answer } = await askSub(code, [content(text)]);
      expect(JSON.parse(answer)).toEqual([false, '', 'VAULT-77', expect.stringContaining('only reasoning')]);
    },
  );

  it('of the root: the feedback says so, and such turns do not end the run at three', async () => {
    const thought: WireReply = { message: { content: null, reasoning: 'I look.\n```python\nprint(7)\n```' } };
    const { result, last } = await playWire([thought, thought, content(LOOK), content('FINAL(11)')]);
    expect(result).toMatchObject({ outcome: 'converged', answer: '11' });
    expect(last(1)).toContain('only reasoning came');
    expect(last(1)).toContain('    print(7)');
    expect(last(2)).toContain('One more such reply ends the run. Copy this:');
  });
});

describe('reasoning in the reply of a sub-call', () => {
  it.each([
    '<think>\nhm, {"name": "no"}\n</think>\n{"name": "Ada"}',
    '<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>{"name": "Ada"}<|return|>',
    'hm, so\n</think>\n{"name": "Ada"}',
    '[THINK]hm[/THINK]{"name": "Ada"}',
  ])('%j is cut, and kept', async (text) => {
    const code = [
      'import json',
      'r = llm_query("name as JSON")',
      'FINAL([json.loads(r)["name"], "hm" in r.reasoning])',
    ];
    const { answer } = await askSub(code, [content(text)]);
    expect(JSON.parse(answer)).toEqual(['Ada', true]);
  });

  it('a typed rlm_query reads the cleaned text', async () => {
    const schema = '{"type": "object", "properties": {"n": {"type": "integer"}}}';
    const code = [`r = rlm_query("count", "a b", output=${schema})`, 'FINAL([r.ok, r.value, r.reasoning])'];
    const { answer } = await askSub(code, [content('<think>two</think>\n```json\n{"n": 2}\n```')]);
    expect(JSON.parse(answer)).toEqual([true, { n: 2 }, 'two']);
  });

  it('a mark within data stays', async () => {
    const { answer } = await askSub(
      ['r = llm_query("a")', 'FINAL([r, r.reasoning])'],
      [content('x <think>y</think> z')],
    );
    expect(JSON.parse(answer)).toEqual(['x <think>y</think> z', null]);
  });

  it('survives a copy and a pickle', async () => {
    const code = [
      'import copy, pickle',
      'r = llm_query("a")',
      'FINAL([copy.copy(r).reasoning, pickle.loads(pickle.dumps(r)).reasoning])',
    ];
    expect((await askSub(code, [content('<think>hm</think>a')])).answer).toBe('["hm", "hm"]');
  });
});

describe('native tool calls without a request for them', () => {
  it.each([
    ['python', { code: 'print(len(context))' }],
    ['execute_python', { source: 'print(len(context))' }],
    ['code_interpreter', { input: 'print(len(context))' }],
  ])('%s runs, as it is plainly Python', async (name, input) => {
    const { result, last } = await playWire([toolCall(name, input), content('FINAL(11)')]);
    expect(last(1)).toContain('| 11');
    expect(result).toMatchObject({ outcome: 'converged', answer: '11', turns: 2 });
  });

  it.each([
    ['search', { query: 'x' }, 'print(type(context), len(context))'],
    ['summarize', { code: 'print(context[:5])' }, 'print(context[:5])'],
    ['final_answer', { answer: '11' }, 'FINAL("11")'],
  ])('%s: the feedback says that there are no tools, and what to send', async (name, input, send) => {
    const { last } = await playWire([content(LOOK), toolCall(name, input), content('FINAL(11)')]);
    expect(last(2)).toContain(`this is a call of the tool "${name}", and there are no tools here`);
    expect(last(2)).toContain(`    ${send}`);
  });

  it('of a sub-model is a failed call that says so', async () => {
    const code = ['r = llm_query_batched(["a"])[0]', 'FINAL([r.ok, r.error["message"]])'];
    const { answer } = await askSub(code, [toolCall('search', { query: 'x' })]);
    expect(JSON.parse(answer)).toEqual([false, expect.stringContaining('called the tool "search"')]);
  });
});

describe('a notice about a model', () => {
  const ofNotices = (events: readonly RunEvent[]) => events.filter((event) => event.type === 'model.notice');

  it('says once that prompts are cut, however many are', async () => {
    const code = ['p = context * 60', 'llm_query(p + "1"); llm_query(p + "2")', 'FINAL(llm_query("a"))'];
    const cut: WireReply = { message: { content: 'fine' }, promptTokens: 4096 };
    const { events } = await askSub(code, [cut], 'word '.repeat(200));
    expect(ofNotices(events)).toMatchObject([
      { kind: 'input-truncated', message: expect.stringContaining('4096 input tokens') },
    ]);
  });

  it.each([
    [
      'max_tokens',
      {
        message:
          "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        param: 'max_tokens',
        code: 'unsupported_parameter',
      },
      'rename',
    ],
    [
      'stream',
      {
        message: 'Your organization must be verified to stream this model.',
        param: 'stream',
        code: 'unsupported_value',
      },
      'no-stream',
    ],
    [
      'stream_options',
      {
        message: 'Unrecognized request argument supplied: stream_options',
        param: 'stream_options',
        code: 'unknown_parameter',
      },
      'omit',
    ],
  ])('says what an endpoint refuses: %s', async (field, error, kind) => {
    const wire = await startWire((body) =>
      field in body && body[field] !== false ? { status: 400, error } : content('fine'),
    );
    open.push(wire);
    const events: RunEvent[] = [];
    const model = scriptedModel([cell('llm_query("a")', 'FINAL(llm_query("b"))')]);
    const rlm = rlmOf({ model, subModel: wire.ref, onEvent: (event) => events.push(event) });
    expect((await rlm.completion({ query: 'q', context: 'x' })).text).toBe('fine');
    expect(ofNotices(events)).toMatchObject([{ kind, model: expect.stringContaining('m') }]);
  });

  it('is not given for a good reply', async () => {
    const { events } = await askSub(['FINAL(llm_query("a"))'], [content('fine')]);
    expect(ofNotices(events)).toEqual([]);
  });
});
