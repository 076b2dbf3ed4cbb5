import { describe, expect, it } from 'vitest';
import { scriptedModel } from '../../src/test.ts';
import { cell, checkEvents, play, promptOf } from './harness.ts';

describe('llm_query', () => {
  it('asks the sub-model, which sees the prompt and nothing else', async () => {
    const { result, sub, events } = await play({
      context: 'secret text',
      root: [cell('r = llm_query("hello", system="Be brief.")', 'FINAL(r)')],
    });
    expect(result).toMatchObject({ answer: 'HELLO', subCalls: 1 });
    expect(sub.requests[0]?.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'hello' },
    ]);
    expect(result.usage.byModel['scripted/sub']?.calls).toBe(1);
    expect(result.trajectory.turns[0]?.commands[0]?.subCalls).toMatchObject([
      { prompt: 'hello', reply: 'HELLO', ok: true },
    ]);
    expect(checkEvents(events)).toEqual([]);
  });

  it('that fails raises LLMError; the run continues', async () => {
    const { result } = await play({
      context: 'x',
      root: [
        cell('try:', '    llm_query("a")', 'except LLMError as error:', '    FINAL("caught " + type(error).__name__)'),
      ],
      sub: [new Error('no such thing')],
    });
    expect(result.answer).toBe('caught LLMError');
  });

  it('in a batch keeps the order, runs concurrently, and fails slot by slot', async () => {
    let inFlight = 0;
    let most = 0;
    const { result, root } = await play({
      context: 'x',
      root: [
        cell(
          'rs = llm_query_batched([str(i) for i in range(20)])',
          'print([r.ok for r in rs].count(False), rs[7].error)',
          'joined = " ".join(rs)',
        ),
        'FINAL_VAR(joined)',
      ],
      sub: async ({ prompt }) => {
        most = Math.max(most, ++inFlight);
        await new Promise((resolve) => setImmediate(resolve));
        inFlight--;
        return prompt === '7' ? new Error('bad') : `<${prompt}>`;
      },
    });
    expect(result.answer).toBe([...Array(20).keys()].map((i) => (i === 7 ? '' : `<${i}>`)).join(' '));
    expect(most).toBeGreaterThan(1);
    expect(promptOf(root, 1)).toContain('20 sub-calls (19 ok, 1 failed)');
  });

  it('over maxSubCalls: the items that fit are sent in order, the others are refused', async () => {
    const { result } = await play({
      context: 'x',
      limits: { maxSubCalls: 3 },
      root: [cell('rs = llm_query_batched(list("abcde"))', 'FINAL([r.ok for r in rs] + [rs[4].error["code"]])')],
    });
    expect(result.answer).toBe('[true, true, true, false, false, "budget"]');
    expect(result.subCalls).toBe(3);
  });

  it('over maxSubCalls raises BudgetExceeded for a single call; finished replies stay', async () => {
    const { result } = await play({
      context: 'x',
      limits: { maxSubCalls: 1 },
      root: [
        cell(
          'a = llm_query("one")',
          'try:',
          '    llm_query("two")',
          'except BudgetExceeded as error:',
          '    FINAL(a + " " + str(isinstance(error, LLMError)))',
        ),
      ],
    });
    expect(result.answer).toBe('ONE True');
  });

  it('refused twice in a row ends the run with call-limit', async () => {
    const { result } = await play({
      context: 'x',
      limits: { maxSubCalls: 0 },
      root: [cell('llm_query_batched(["a"])'), cell('llm_query_batched(["b"])'), 'FINAL(nothing to ask)'],
    });
    expect(result).toMatchObject({ outcome: 'exhausted', stop: 'call-limit' });
  });

  it('refused by a limit are reported when it happens, once for each limit and completion', async () => {
    const { result, events } = await play({
      context: 'x',
      limits: { maxSubCalls: 2, maxDepth: 2 },
      root: [
        cell('rlm_query("child")'),
        cell('llm_query_batched(["b", "c"])'),
        cell('llm_query_batched(["d"])'),
        'FINAL(done)',
      ],
      sub: ({ prompt, messages }) => {
        if (prompt === 'a') return 'A';
        return messages.length <= 2 ? cell('llm_query_batched(["a", "z"])') : 'FINAL(child)';
      },
    });
    expect(result.outcome).toBe('exhausted');
    const reached = events.filter((event) => event.type === 'limit.reached');
    expect(reached.map(({ runId, limit, value }) => ({ own: runId === result.runId, limit, value }))).toEqual([
      { own: false, limit: 'call-limit', value: 1 },
      { own: true, limit: 'call-limit', value: 2 },
    ]);
    expect(reached[0]?.message).toContain('2 of 2 sub-calls (maxSubCalls)');
    expect(checkEvents(events)).toEqual([]);
  });

  it('at maxDepth 0 is refused', async () => {
    const { result, sub } = await play({
      context: 'x',
      limits: { maxDepth: 0 },
      root: [
        cell('try:', '    llm_query("a")', 'except BudgetExceeded as error:', '    FINAL([str(error), error.left])'),
      ],
    });
    expect(JSON.parse(result.text)).toEqual([
      expect.stringContaining('maxDepth'),
      { resource: 'depth', left: 0, limit: 0 },
    ]);
    expect(sub.requests).toHaveLength(0);
  });

  it('at maxDepth 0 is refused in the text of a reply as well, and the run continues', async () => {
    const { result, root } = await play({
      context: 'x',
      limits: { maxDepth: 0 },
      root: ['QUERY_LLM(what is it?)', cell('FINAL(context)')],
    });
    expect(result).toMatchObject({ outcome: 'converged', answer: 'x' });
    expect(promptOf(root, 1)).toContain('maxDepth is 0');
  });
});

describe('a typed rlm_query as a flat call', () => {
  const asked = 'rlm_query("count", "a b", output={"type": "object", "properties": {"n": {"type": "integer"}}})';

  it.each([
    ['{"n": 2}', '{"n": 2}'],
    ['Here it is:\n```json\n{"n": 2}\n```\nDone.', '{"n": 2}'],
  ])('has the value of %j', async (reply, text) => {
    const { result } = await play({
      root: [cell(`r = ${asked}`, 'FINAL([r.ok, r.value["n"], str(r)])')],
      sub: [reply],
    });
    expect(JSON.parse(result.text)).toEqual([true, 2, text]);
  });

  it.each(['two', '{"n": "two"}'])('is not ok when the reply is %j', async (reply) => {
    const { result } = await play({
      root: [cell(`r = ${asked}`, 'FINAL([r.ok, r.value, str(r), r.error["code"], r.error["message"]])')],
      sub: [reply],
    });
    expect(JSON.parse(result.text)).toEqual([
      ...[false, null, reply, 'answer-invalid'],
      expect.stringContaining('does not fit the schema'),
    ]);
  });
});

describe('the sub-model', () => {
  it('is pinned: a model the caller did not allow is replaced, and an event says so', async () => {
    const { result, events } = await play({
      context: 'x',
      root: [cell('FINAL(llm_query("a", model="openai/gpt-5"))')],
    });
    expect(result.answer).toBe('A');
    expect(events.filter((event) => event.type === 'subcall.fallback')).toMatchObject([
      { configured: 'openai/gpt-5', using: 'scripted/sub' },
    ]);
  });

  it.each(['scripted/other', 'other'])('%s is used where the caller allows it', async (name) => {
    const other = scriptedModel(() => 'from the other', { modelId: 'other' });
    const { result, events } = await play({
      context: 'x',
      subModel: [scriptedModel([]), other],
      options: { allowedModels: ['scripted/other'] },
      root: [cell(`FINAL(llm_query("a", model="${name}"))`)],
    });
    expect(result.answer).toBe('from the other');
    expect(events.filter(({ type }) => type === 'subcall.fallback')).toEqual([]);
  });

  it('of a tool say which command made them, and under which step of the journal they are recorded', async () => {
    const { events } = await play({
      context: 'x',
      tools: { now: Object.assign(() => 'now', { description: 'The time.' }) },
      root: [cell('FINAL([now(), now()])')],
    });
    const calls = events.filter((event) => event.type === 'tool.completed');
    expect(calls).toMatchObject([{ commandId: 't1.0' }, { commandId: 't1.0' }]);
    expect(calls[0]?.callId).toMatch(/:t1\.0\/tool\//);
    expect(calls[1]?.callId).not.toBe(calls[0]?.callId);
  });

  it('an unknown name is an LLMError', async () => {
    const { result, events } = await play({
      context: 'x',
      root: [
        cell('try:', '    llm_query("a", model="unknown/knows-this")', 'except LLMError:', '    FINAL("unknown")'),
      ],
    });
    expect(result.answer).toBe('unknown');
    const calls = events.filter(({ type }) => type.startsWith('subcall.')).map(({ type }) => type);
    expect(calls).toEqual(['subcall.started', 'subcall.completed']);
  });
});

describe('queries in the text of a reply', () => {
  it('are answered in the feedback', async () => {
    const { result, root } = await play({ context: 'x', root: ['QUERY_LLM(what is it?)', cell('1'), 'FINAL(ok now)'] });
    expect(result.answer).toBe('ok now');
    expect(promptOf(root, 1)).toContain('WHAT IS IT?');
  });

  it('in a batch are numbered', async () => {
    const { root } = await play({ context: 'x', root: ['QUERY_LLM_BATCHED(["a", "b"])', cell('FINAL(1)')] });
    expect(promptOf(root, 1)).toMatch(/\[0\] A[\s\S]*\[1\] B/);
  });
});

describe('rlm_query', () => {
  it('at maxDepth is one flat call with query and context', async () => {
    const { result, sub } = await play({ context: 'x', root: [cell('FINAL(rlm_query("find it", "in here"))')] });
    expect(sub.requests[0]?.prompt).toContain('find it');
    expect(sub.requests[0]?.prompt).toContain('in here');
    expect(result.subCalls).toBe(1);
  });

  it('below maxDepth is a child with its own REPL, query and context', async () => {
    const { result, events } = await play({
      context: 'parent context',
      limits: { maxDepth: 2 },
      root: [cell('x = "parent"', 'r = rlm_query("count", "a b c")', 'FINAL(f"{r} {x} {context}")')],
      sub: ({ messages }) =>
        messages.at(0)?.role === 'system' ? cell('x = "child"', 'FINAL(len(context.split()))') : 'flat',
    });
    expect(result.answer).toBe('3 parent parent context');
    const child = result.trajectory.turns[0]?.commands[0]?.subCalls[0]?.child;
    expect(child).toMatchObject({ depth: 1, query: 'count', parentRunId: result.runId });
    expect(checkEvents(events)).toEqual([]);
    expect(events.filter((event) => event.type === 'run.completed')).toHaveLength(2);
  });

  it('gives a typed value where the child’s answer is typed', async () => {
    const { result } = await play({
      context: 'x',
      limits: { maxDepth: 2 },
      root: [
        cell(
          'r = rlm_query("count", "a b c", output={"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})',
          'FINAL(r.value["n"] + 1)',
        ),
      ],
      sub: [cell('FINAL({"n": "three"})'), cell('FINAL({"n": 3})')],
    });
    expect(result.answer).toBe('4');
  });

  it('of a child that is exhausted is not ok, with what it found', async () => {
    const { result } = await play({
      context: 'x',
      limits: { maxDepth: 2, maxTurns: 2 },
      root: [cell('r = rlm_query("count", "a b c")', 'FINAL([r.ok, r])')],
      sub: [cell('1'), cell('2'), 'FINAL(half an answer)'],
    });
    expect(result.answer).toBe('[false, "half an answer"]');
  });

  it('gives each depth its model', async () => {
    const { result } = await play({
      context: 'x',
      limits: { maxDepth: 2 },
      root: [cell('FINAL(rlm_query("ask below", "ctx"))')],
      sub: ({ messages }) => (messages[0]?.role === 'system' ? cell('FINAL(llm_query("deep"))') : 'FLAT ANSWER'),
    });
    expect(result.answer).toBe('FLAT ANSWER');
    expect(Object.keys(result.usage.byDepth)).toEqual(['0', '1', '2']);
  });
});
