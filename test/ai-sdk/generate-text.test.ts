/** `generateText` of `ai` with an `Rlm` as its model, over real sockets. */
import { generateText, jsonSchema, type LanguageModel, Output, tool } from 'ai';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { requestFromMessages } from '../../src/ai-sdk/index.ts';
import { png } from '../../src/model/image.testing.ts';
import { cell } from '../engine/harness.ts';
import { imagesIn } from '../engine/image-cells.ts';
import { doorOf } from './door.ts';

vi.stubGlobal('AI_SDK_LOG_WARNINGS', false);

const NOVEL = `${'It was a dark night. '.repeat(500)}The butler did it.${' The end.'.repeat(500)}`;

describe('generateText', () => {
  it('answers from a context that is in no request to the root model', async () => {
    const { mock, model } = await doorOf([cell('at = context.find("butler")', 'print(at)'), 'FINAL("the butler")']);
    const result = await generateText({ model, prompt: NOVEL });
    expect(result.text).toBe('the butler');
    expect(result.finishReason).toBe('stop');
    expect(result.rawFinishReason).toBe('final');
    expect(result.reasoningText).toContain('context.find("butler")');
    expect(result.reasoningText).toMatch(/\[t1\.0: ok, \d+\.\d s\]/);
    expect(mock.calls.length).toBe(2);
    expect(mock.calls.flatMap(({ request }) => request.messages.map(({ content }) => content)).join()).not.toContain(
      'The butler did it.',
    );
  });

  it('reports the usage of the whole tree, and the facts of the run', async () => {
    const { mock, model, events } = await doorOf(({ prompt }) =>
      prompt === 'sub' ? 'yes' : cell('FINAL(llm_query("sub"))'),
    );
    const { usage, providerMetadata, response } = await generateText({ model, prompt: 'q' });
    expect(mock.calls.length).toBe(2);
    expect([usage.inputTokens, usage.outputTokens]).toEqual([mock.billed.inputTokens, mock.billed.outputTokens]);
    expect(usage.raw).toMatchObject({ calls: 2, byDepth: { 0: { calls: 1 }, 1: { calls: 1 } } });
    const { runId } = events[0] ?? {};
    expect(providerMetadata?.fathom).toMatchObject({
      runId,
      outcome: 'converged',
      turns: 1,
      subCalls: 1,
      costUsd: null,
    });
    expect(['process', 'namespace']).toContain(providerMetadata?.fathom?.isolation);
    expect(response.id).toBe(runId);
  });

  it('takes system messages as instructions, and earlier messages and files as context', async () => {
    const { mock, model } = await doorOf([
      cell('print(sorted(context), files[0].path, conversation[0]["content"])'),
      cell('FINAL(files[0].text + conversation[1]["content"])'),
    ]);
    const { text } = await generateText({
      model,
      instructions: 'Answer in French.',
      messages: [
        { role: 'user', content: 'Who?' },
        {
          role: 'assistant',
          content: [
            { type: 'reasoning', text: 'secret plan' },
            { type: 'text', text: ' wrote it' },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Say it.' },
            { type: 'file', data: Buffer.from('Jane'), mediaType: 'text/plain', filename: 'a.txt' },
          ],
        },
      ],
    });
    expect(text).toBe('Jane wrote it');
    expect(mock.calls[0]?.request.system).toContain('Answer in French.');
    expect(JSON.stringify(mock.calls.map(({ request }) => request.body))).not.toContain('secret plan');
  });

  it('takes images as documents with bytes, and refuses those of other formats', async () => {
    const { mock, model } = await doorOf(({ prompt }) =>
      prompt === 'sub' ? 'a whale' : cell('FINAL(llm_query("sub", images=[context["whale.png"]]))'),
    );
    const asking = (data: Uint8Array, filename: string) => {
      const file = { type: 'file' as const, data, mediaType: 'image/png', filename };
      return generateText({ model, messages: [{ role: 'user', content: [{ type: 'text', text: 'What?' }, file] }] });
    };
    expect((await asking(png(3, 2), 'whale.png')).text).toBe('a whale');
    expect(imagesIn(mock.calls[1]?.request.body)).toEqual([Buffer.from(png(3, 2)).toString('base64')]);
    await expect(asking(Buffer.from('GIF89a'), 'b.gif')).rejects.toThrow(/b\.gif.*neither a PNG nor a JPEG/);
    expect(mock.calls).toHaveLength(2);
  });

  it('follows a rule of the caller', async () => {
    const { model } = await doorOf(['FINAL(f"{len(context)}")'], {
      toRequest: (messages) => ({ ...requestFromMessages(messages), context: 'four' }),
    });
    expect((await generateText({ model, prompt: 'How long?' })).text).toBe('4');
  });

  it('cuts the answer at maxOutputTokens, with the reason `length`', async () => {
    const { mock, model } = await doorOf(['FINAL("abcdefgh")']);
    const result = await generateText({ model, prompt: 'q', maxOutputTokens: 1 });
    expect([result.text, result.finishReason]).toEqual(['abcd', 'length']);
    expect(mock.calls[0]?.request.system).toContain('at most 1 tokens');
  });

  it('ends with `length` where a limit ended the run, and says which', async () => {
    const { model } = await doorOf([cell('x = 1'), 'my best guess'], { limits: { maxTurns: 1 } });
    const { text, finishReason, rawFinishReason, providerMetadata } = await generateText({ model, prompt: 'q' });
    expect([text, finishReason, rawFinishReason]).toEqual(['my best guess', 'length', 'max-turns']);
    expect(providerMetadata?.fathom).toMatchObject({ outcome: 'exhausted', reason: expect.stringContaining('turn') });
  });

  it('hands temperature and reasoning effort to the root model, and warns of what it cannot apply', async () => {
    const { mock, model } = await doorOf(['FINAL("ok")']);
    const { warnings } = await generateText({
      ...{ model, prompt: 'q', temperature: 0.25, reasoning: 'low' },
      ...{ topP: 0.5, topK: 3, seed: 1, stopSequences: ['x'], presencePenalty: 1, frequencyPenalty: 1 },
      headers: { 'x-mine': '1' },
      providerOptions: { fathom: { maxTurns: 3 } },
    });
    expect(mock.calls[0]?.request.body).toMatchObject({ temperature: 0.25, reasoning_effort: 'low' });
    expect(mock.calls[0]?.request.body).not.toHaveProperty('top_p');
    expect(warnings?.map((warning) => (warning.type === 'unsupported' ? warning.feature : warning.type))).toEqual([
      ...['topP', 'topK', 'presencePenalty', 'frequencyPenalty', 'seed', 'stopSequences', 'headers'],
      'providerOptions.fathom',
    ]);
    expect((await generateText({ model, prompt: 'q' })).warnings).toEqual([]);
  });

  it('merges them with the settings of the door, one by one', async () => {
    const modelSettings = { temperature: 0.75, root: { reasoningEffort: 'high' } } as const;
    const replies = ({ prompt }: { readonly prompt: string }): string =>
      prompt === 'sub' ? 'yes' : '```repl\nFINAL(llm_query("sub"))\n```';
    const { mock, model } = await doorOf(replies, { modelSettings });
    await generateText({ model, prompt: 'q', temperature: 0.25 });
    expect(mock.calls[0]?.request.body).toMatchObject({ temperature: 0.25, reasoning_effort: 'high' });
    expect(mock.calls[1]?.request.body).toMatchObject({ temperature: 0.75 });
    expect(mock.calls[1]?.request.body).not.toHaveProperty('reasoning_effort');
  });

  it('answers without tools that it is only offered, with a warning, and refuses a call that must use one', async () => {
    const { mock, model } = await doorOf(['FINAL("ok")']);
    const tools = { look: tool({ inputSchema: jsonSchema({ type: 'object' }), execute: () => 1 }) };
    const { text, warnings } = await generateText({ model, prompt: 'q', tools });
    expect(text).toBe('ok');
    expect(warnings).toMatchObject([{ feature: 'tools', details: expect.stringContaining('createRlm') }]);
    expect((await generateText({ model, prompt: 'q', tools, toolChoice: 'none' })).warnings).toEqual([]);
    const before = mock.calls.length;
    await expect(generateText({ model, prompt: 'q', tools, toolChoice: 'required' })).rejects.toThrow(
      expect.objectContaining({ name: 'AI_UnsupportedFunctionalityError' }),
    );
    expect(mock.calls.length).toBe(before);
  });
});

describe('structured output', () => {
  const schema = z.object({ total: z.number(), unpaid: z.array(z.string()) });

  it('is validated inside the loop, and the model repairs it', async () => {
    const { mock, model } = await doorOf(['FINAL({"total": "3"})', 'FINAL({"total": 3, "unpaid": ["A"]})']);
    const { output } = await generateText({ model, prompt: 'q', output: Output.object({ schema, name: 'invoices' }) });
    expect(output).toEqual({ total: 3, unpaid: ['A'] });
    expect(mock.calls[1]?.request.prompt).toContain('unpaid');
  });

  it('is JSON also where the model wrote a Python value', async () => {
    const { model } = await doorOf([cell('FINAL({"total": 1.5, "unpaid": []})')]);
    const { output, text } = await generateText({ model, prompt: 'q', output: Output.object({ schema }) });
    expect(output).toEqual({ total: 1.5, unpaid: [] });
    expect(JSON.parse(text)).toEqual(output);
  });

  it('has lists, choices and any JSON', async () => {
    const { model } = await doorOf([
      ...['FINAL({"elements": [1, 2]})', 'FINAL({"result": "no"})', 'FINAL("just a text")', 'FINAL({"any": null})'],
    ]);
    const ask = { model: model as LanguageModel, prompt: 'q' };
    expect((await generateText({ ...ask, output: Output.array({ element: z.number() }) })).output).toEqual([1, 2]);
    expect((await generateText({ ...ask, output: Output.choice({ options: ['yes', 'no'] }) })).output).toBe('no');
    expect((await generateText({ ...ask, output: Output.json() })).output).toEqual({ any: null });
  });

  it('refuses integers that JavaScript would round', async () => {
    const { model } = await doorOf(['FINAL({"n": 12345678901234567890})', 'FINAL({"n": 7})']);
    const { output } = await generateText({
      ...{ model, prompt: 'q' },
      output: Output.object({ schema: z.object({ n: z.number() }) }),
    });
    expect(output).toEqual({ n: 7 });
  });
});
