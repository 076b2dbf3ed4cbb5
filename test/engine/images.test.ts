/** Images in prompts of sub-calls: what the model gets, what is reserved, what is recorded, and what is refused. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fromFiles, memoryStore, type RunEvent } from '../../src/index.ts';
import { jpeg, png } from '../../src/model/image.testing.ts';
import type { JournalEntry } from '../../src/store/port.ts';
import { scriptedModel } from '../../src/test.ts';
import { type MockProvider, startMockProvider } from '../mock-provider/index.ts';
import { cell, play, rlmOf, start } from './harness.ts';
import { imagesIn, made } from './image-cells.ts';

const PNG = png(800, 600);
const JPEG = jpeg(640, 480);
const MIB = 1024 * 1024;

let folder = '';
let mock: MockProvider;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-images-'));
  mock = await startMockProvider({ respond: () => 'a cat' });
  for (const [name, value] of Object.entries(mock.env)) vi.stubEnv(name, value);
});
afterAll(async () => {
  await mock.close();
  await rm(folder, { recursive: true });
});

describe('llm_query with images', () => {
  it('sends bytes, documents, files and figures, before the text', { timeout: 90_000 }, async () => {
    await writeFile(join(folder, 'one.png'), PNG);
    await writeFile(join(folder, 'two.jpg'), JPEG);
    const { result, sub } = await play({
      context: fromFiles(['one.png', 'two.jpg'], { cwd: folder }),
      root: [
        cell(
          made('png', PNG),
          'class Figure:',
          '    def savefig(self, file, format): file.write(png)',
          'class Axes:',
          '    figure = Figure()',
          'class Image:',
          '    mode = "RGB"',
          '    def save(self, file, format): file.write(png)',
          'open("three.png", "wb").write(png)',
          'r = llm_query("what?", images=[png, context[0], context["two.jpg"], "three.png", Figure(), Axes(), Image()])',
          'one = llm_query("and?", images=png)',
          'FINAL([r, one])',
        ),
      ],
    });
    expect(result.answer).toBe('["WHAT?", "AND?"]');
    const sent = sub.requests[0]?.images ?? [];
    expect(sent.map(({ mediaType }) => mediaType)).toEqual(
      [0, 0, 1, 0, 0, 0, 0].map((kind) => (kind === 0 ? 'image/png' : 'image/jpeg')),
    );
    expect(sent.map(({ data }) => Buffer.from(data))).toEqual(
      [0, 0, 1, 0, 0, 0, 0].map((kind) => Buffer.from(kind === 0 ? PNG : JPEG)),
    );
    expect(sub.requests[1]?.images).toHaveLength(1);
  });

  it('takes images for all prompts of a batch or for each, also by await', async () => {
    const { result, sub } = await play({
      context: 'x',
      root: [
        cell(
          made('a', PNG),
          made('b', JPEG),
          'all = llm_query_batched(["p", "q"], images=[a, b])',
          'each = await allm_query_batched(["r", "s"], images=[[a], []])',
          'one = await allm_query("t", images=[b])',
          'FINAL([*all, *each, one])',
        ),
      ],
    });
    expect(result.answer).toBe('["P", "Q", "R", "S", "T"]');
    const counts = Object.fromEntries(sub.requests.map(({ prompt, images }) => [prompt, images.length]));
    expect(counts).toEqual({ p: 2, q: 2, r: 1, s: 0, t: 1 });
  });

  it('sends many large ones at once', { timeout: 60_000 }, async () => {
    const { result, sub } = await play({
      context: 'x',
      root: [
        cell(
          made('head', PNG),
          `large = head + bytes(${5 * MIB} - len(head))`,
          'alone = llm_query("all", images=[large] * 16)',
          'many = llm_query_batched([f"p{i}" for i in range(20)], images=[large])',
          'FINAL([alone, len(many), all(r.ok for r in many)])',
        ),
      ],
    });
    expect(result.answer).toBe('["ALL", 20, true]');
    expect(sub.requests[0]?.images.map(({ data }) => data.length)).toEqual(Array.from({ length: 16 }, () => 5 * MIB));
  });

  it.each([
    ['[png] * 17', 'ValueError', 'at most 16 images (MAX_CALL_IMAGES)'],
    [`[png + bytes(${5 * MIB})]`, 'ValueError', `${5 * MIB} (MAX_IMAGE_BYTES)`],
    ['[b"GIF89a"]', 'ValueError', 'neither PNG nor JPEG'],
    ['[object()]', 'TypeError', 'image 1 must be PNG or JPEG bytes'],
    ['[png[:18]]', 'LLMError', 'its header is damaged'],
  ])('refuses images=%s with a clear error, and sends nothing', async (images, type, words) => {
    const { result, sub } = await play({
      context: 'x',
      root: [
        cell(
          made('png', PNG),
          'try:',
          `    llm_query("p", images=${images})`,
          'except Exception as error:',
          '    FINAL(f"{type(error).__name__}: {error}")',
        ),
      ],
    });
    expect(result.answer).toContain(`${type}: `);
    expect(result.answer).toContain(words);
    expect(sub.requests).toEqual([]);
  });

  it('is refused at once for a model that reads text alone', async () => {
    const before = mock.calls.length;
    const root = scriptedModel([
      cell(made('png', PNG), 'r = llm_query_batched(["p"], images=[png])[0]', 'FINAL(r.error["message"])'),
    ]);
    const rlm = rlmOf({ model: root, subModel: 'openai/gpt-3.5-turbo' });
    const { answer } = await rlm.completion({ query: 'q', context: 'x' });
    expect(answer).toContain('openai/gpt-3.5-turbo takes no images: it reads text alone. Describe them in the prompt');
    expect(mock.calls).toHaveLength(before);
  });
});

describe('on the wire', () => {
  it.each([
    'openai/gpt-5-mini',
    'anthropic/claude-haiku-4-5',
    'google/gemini-2.5-flash',
    'openai-compatible/some-model',
  ])('%s receives the bytes of both images', async (model) => {
    const before = mock.calls.length;
    const events: RunEvent[] = [];
    const root = scriptedModel([cell(made('a', PNG), made('b', JPEG), 'FINAL(llm_query("what?", images=[a, b]))')]);
    const rlm = rlmOf({ model: root, subModel: model, onEvent: (event) => events.push(event) });
    expect((await rlm.completion({ query: 'q', context: 'x' })).answer).toBe('a cat');
    const [call] = mock.calls.slice(before);
    expect(imagesIn(call?.request.body)).toEqual([PNG, JPEG].map((data) => Buffer.from(data).toString('base64')));
    expect(events.find(({ type }) => type === 'subcall.started')).toMatchObject({ images: 2 });
  });

  it('an endpoint that refuses images is named to the cell', async () => {
    const refusing = await startMockProvider({
      respond: () => ({
        fault: 'status',
        status: 400,
        error: { message: 'image_url is not supported by this model', type: 'invalid_request_error' },
      }),
    });
    const root = scriptedModel([
      cell(
        made('a', PNG),
        'r = llm_query_batched(["p"], images=[a])[0]',
        'FINAL([r.error["code"], r.error["message"]])',
      ),
    ]);
    const rlm = rlmOf({ model: root, subModel: `${refusing.url}/v1#some-model` });
    const { answer } = await rlm.completion({ query: 'q', context: 'x' });
    await refusing.close();
    expect(answer).toMatch(/bad-request.*takes no images: .*image_url is not supported by this model\. Describe them/);
  });
});

describe('money and records', () => {
  it('reserves the tokens of images before anything is sent', async () => {
    const script = (images: string) => ({
      context: 'x',
      // One image of an unknown model is reserved with 16 384 tokens.
      limits: { maxTokens: 30_000, maxOutputTokens: 2_000 },
      root: [
        cell(
          made('png', PNG),
          `r = llm_query_batched(["p"], images=${images})[0]`,
          'FINAL([r.ok, (r.error or {}).get("code")])',
        ),
      ],
    });
    expect((await play(script('[png]'))).result.answer).toBe('[true, null]');
    const refused = await play(script('[png, png]'));
    expect(refused.result.answer).toBe('[false, "budget"]');
    expect(refused.sub.requests).toEqual([]);
  });

  it('events, journal and trajectory hold references, never bytes', async () => {
    const store = memoryStore();
    const entries: JournalEntry[] = [];
    const { run, events } = start({
      context: 'x',
      options: { store },
      tools: {
        probe: async () => {
          // The journal is dropped when the run ends.
          entries.push(...(await store.journal.read(run.id)));
          return 'read';
        },
      },
      root: [
        cell(
          made('png', PNG),
          'big = png + b"SECRETPIXELS" * 20',
          'r = llm_query("p", images=[big])',
          'probe()',
          'FINAL(r)',
        ),
      ],
    });
    const result = await run;
    const calls = entries.filter(({ kind }) => kind === 'call');
    expect(JSON.stringify(calls)).toContain('[image/png, 800 × 600, 273 bytes]');
    expect(entries.some(({ kind }) => kind === 'step')).toBe(true);
    const secret = Buffer.from('SECRETPIXELS'.repeat(4));
    for (const form of [
      secret.toString('base64').slice(0, 12),
      secret.toString('hex'),
      `${secret}`,
      '"0":137',
      '[137,80',
    ])
      expect(JSON.stringify([entries, events, result.trajectory])).not.toContain(form);
  });
});
