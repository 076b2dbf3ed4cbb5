import { describe, expect, it } from 'vitest';
import type { RlmOptions } from '../../src/index.ts';
import { type ScriptedRequest, type ScriptedResponder, scriptedModel } from '../../src/test.ts';
import { cell, checkEvents, grow, nested } from './harness.ts';

/** A completion's own call, as opposed to a flat one. */
function ofCompletion({ messages }: ScriptedRequest): boolean {
  return messages[0]?.role === 'system';
}

/** Plays one root cell over the given sub-models. */
async function play(
  rootCell: string,
  sub: ScriptedResponder | readonly ScriptedResponder[],
  options?: Partial<RlmOptions>,
) {
  const subs = (Array.isArray(sub) ? sub : [sub]) as readonly ScriptedResponder[];
  const models = subs.map((respond, index) => scriptedModel(respond, { modelId: `d${index + 1}` }));
  const root = scriptedModel(({ messages }) => (messages.length > 2 ? 'FINAL(not answered)' : rootCell), {
    modelId: 'd0',
  });
  const { run, events } = grow({
    ...{ model: root, subModel: models, ...options },
    limits: { maxDepth: 2, ...options?.limits },
  });
  const result = await run;
  expect(checkEvents(events)).toEqual([]);
  return { result, events, root, models };
}

describe('a child’s typed answer', () => {
  const COUNT = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };

  it('is repaired by the child and arrives as a value, in a batch with a schema per item', async () => {
    let wrong = 0;
    const { result } = await play(
      cell(
        `rs = rlm_query_batched([{"query": "count", "context": "a b", "output": ${JSON.stringify(COUNT)}}, ("say", "c")])`,
        'FINAL([rs[0].value, str(rs[1]), rs[1].value])',
      ),
      ({ messages }) => {
        if (messages[1]?.content.includes('say')) return cell('FINAL("hello")');
        wrong += 1;
        return wrong === 1 ? cell('FINAL({"n": "two"})') : cell('FINAL({"n": 2})');
      },
    );
    expect(JSON.parse(result.text)).toEqual([{ n: 2 }, 'hello', null]);
    expect(wrong).toBe(2);
  });

  it('that never fits is not ok and says why', async () => {
    const { result } = await play(
      cell(
        `r = rlm_query("count", "a", output=${JSON.stringify(COUNT)})`,
        'FINAL([r.ok, r.value, r.error["message"]])',
      ),
      () => cell('FINAL({"n": "many"})'),
    );
    const [ok, value, message] = JSON.parse(result.text) as [boolean, unknown, string];
    expect([ok, value]).toEqual([false, null]);
    expect(message).toContain('maxRepairs');
  });
});

describe('tools in children', () => {
  const tools = { shout: { description: 'Shouts.', execute: ({ text }: { text: string }) => `${text}!` } };
  const useTool = cell('try: FINAL(shout(text="hey"))', 'except NameError: FINAL("no tool")');
  const ask = cell('FINAL(rlm_query("use it", "x"))');

  it.each([
    ['are inherited', undefined, 'hey!'],
    ['are replaced', { shout: { description: 'Whispers.', execute: () => 'psst' } }, 'psst'],
    ['are an empty set', {}, 'no tool'],
  ])('%s', async (_name, subTools, answer) => {
    const { result } = await play(ask, () => useTool, {
      tools,
      ...(subTools !== undefined && { subTools }),
    } as Partial<RlmOptions>);
    expect(result.text).toBe(answer);
  });
});

describe('the model policy', () => {
  it('holds at every depth; the last model repeats', async () => {
    const below = (request: ScriptedRequest): string =>
      ofCompletion(request) ? cell('FINAL(rlm_query("deeper", "x"))') : 'bottom';
    const { result, events } = await play(cell('FINAL(rlm_query("down", "x"))'), [below, below], {
      limits: { maxDepth: 4 },
    });
    expect(result.text).toBe('bottom');
    const models = events.flatMap((event) => (event.type === 'usage.recorded' ? [[event.depth, event.model]] : []));
    expect(models.sort()).toEqual([
      [0, 'scripted/d0'],
      [1, 'scripted/d1'],
      [2, 'scripted/d2'],
      [3, 'scripted/d2'],
      [4, 'scripted/d2'],
    ]);
    expect(nested(result.trajectory).map(({ depth, rootModel }) => [depth, rootModel])).toEqual([
      [0, 'scripted/d0'],
      [1, 'scripted/d1'],
      [2, 'scripted/d2'],
      [3, 'scripted/d2'],
    ]);
  });
});

describe('an rlm_query at maxDepth', () => {
  it('is one flat call with query and context', async () => {
    const { result, models } = await play(cell('FINAL(rlm_query("find it", "in here"))'), () => 'found', {
      limits: { maxDepth: 1 },
    });
    expect(result.text).toBe('found');
    expect(models[0]?.requests[0]?.messages).toEqual([
      { role: 'user', content: expect.stringMatching(/find it[\s\S]*in here/) },
    ]);
  });

  it('whose context is too large raises LLMError naming both sizes, and nothing is sent', async () => {
    const { result, models } = await play(
      cell('try: rlm_query("find it", "word " * 60_000)', 'except LLMError as e: FINAL([e.code, str(e)])'),
      () => 'found',
      { limits: { maxDepth: 1, promptBytes: 200_000 } },
    );
    const [code, message] = JSON.parse(result.text) as [string, string];
    expect(code).toBe('context-length');
    expect(message).toMatch(/300000 bytes/);
    expect(message).toContain('200000');
    expect(models[0]?.requests).toHaveLength(0);
  });
});

describe('a context of 50 MB from the parent’s memory', () => {
  it('reaches the child whole, and no model sees it', async () => {
    const { result, root, models } = await play(
      cell(
        'big = "".join(f"{i:09d}\\n" for i in range(5_000_000))',
        'r = rlm_query("last line?", big)',
        'FINAL([r, rlm_query("again", {"rows": [big[:1000]]})])',
      ),
      ({ messages }) =>
        messages[1]?.content.includes('again')
          ? cell('FINAL(len(context["rows"][0]))')
          : cell('FINAL(f"{len(context)} {context[-10:-1]}")'),
    );
    expect(JSON.parse(result.text)).toEqual(['50000000 004999999', '1000']);
    for (const model of [root, ...models]) {
      for (const { messages } of model.requests) expect(JSON.stringify(messages).length).toBeLessThan(40_000);
    }
    expect(JSON.stringify(result.trajectory).length).toBeLessThan(100_000);
  }, 120_000);
});
