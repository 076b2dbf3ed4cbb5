/** Images in messages: what cells get, what models see, what a resumed run reads, and what is refused before anything is spent. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DOOR_IMAGES } from '../../src/door/limits.ts';
import { createRlm, type Store, sqliteStore } from '../../src/index.ts';
import { jpeg, png } from '../../src/model/image.testing.ts';
import { startServer } from '../../src/server/index.ts';
import { cell } from '../engine/harness.ts';
import { imagesIn } from '../engine/image-cells.ts';
import { startMockProvider } from '../mock-provider/index.ts';
import { final, raw, serve, until } from './harness.ts';

const base64 = (data: Uint8Array): string => Buffer.from(data).toString('base64');
const PNG = png(800, 600);
const JPEG = jpeg(640, 480);
const dataUrl = (type: string, data: Uint8Array): string => `data:image/${type};base64,${base64(data)}`;
const inChat = (url: string): object => ({ type: 'image_url', image_url: { url, detail: 'high' } });

/** The parts of a question with an image before it, in an earlier message. */
const messages = [
  { role: 'user', content: [{ type: 'text', text: 'This is the first.' }, inChat(dataUrl('png', PNG))] },
  { role: 'assistant', content: 'I see.' },
  { role: 'user', content: [{ type: 'text', text: 'What is the second?' }, inChat(dataUrl('jpeg', JPEG))] },
];

const LOOK = cell(
  'for image in files: print(image.path, image.kind, image.meta, len(image.bytes))',
  'print(conversation[0]["content"])',
  'show(files["image-2.jpg"])',
  'found = llm_query("sub", images=list(files))',
);

/** The models of a run that looks at its images. */
const looks = ({
  prompt,
  messages: seen,
}: {
  readonly prompt: string;
  readonly messages: readonly unknown[];
}): string => {
  if (prompt === 'sub') return 'a whale';
  return seen.some((message) => (message as { role: string }).role === 'assistant') ? 'FINAL_VAR(found)' : LOOK;
};

describe('images in messages', () => {
  it('of a chat are documents, which cells show and send to sub-models', async () => {
    const { client, mock } = await serve({ respond: looks });
    const { choices } = await client.chat.completions.create({ model: 'fathom', messages: messages as never });
    expect(choices[0]?.message.content).toBe('a whale');
    const [first, sub, second] = mock.calls.map(({ request }) => request);
    expect(first?.prompt).toContain('image-1.png');
    expect(imagesIn(first?.body)).toEqual([]);
    expect(imagesIn(sub?.body)).toEqual([base64(PNG), base64(JPEG)]);
    expect(imagesIn(second?.body)).toEqual([base64(JPEG)]);
    expect(second?.prompt).toContain(
      "image-1.png image {'kind': 'image', 'format': 'png', 'width': 800, 'height': 600} 33",
    );
    expect(second?.prompt).toContain('[file: image-1.png]');
  });

  it('of the responses API are the same', async () => {
    const { client, mock } = await serve({
      respond: ({ prompt }) => (prompt === 'sub' ? 'a boat' : cell('FINAL(llm_query("sub", images=[context[0]]))')),
    });
    const content = [
      { type: 'input_text', text: 'What is it?' },
      { type: 'input_image', image_url: dataUrl('png', PNG), detail: 'auto' },
    ];
    const { output_text } = await client.responses.create({
      model: 'fathom',
      input: [{ role: 'user', content }] as never,
    });
    expect(output_text).toBe('a boat');
    expect(imagesIn(mock.calls[1]?.request.body)).toEqual([base64(PNG)]);
  });

  it('are stored with a run, and its events hold no byte of them', async () => {
    const { client, store, events } = await serve({ respond: looks });
    await client.chat.completions.create({ model: 'fathom', messages: messages as never });
    const [record] = await store.runs.list();
    expect(record?.request.contexts).toMatchObject([
      { name: 'conversation' },
      { name: 'files', documents: [{ path: 'image-1.png', options: { as: 'bytes' } }, { path: 'image-2.jpg' }] },
    ]);
    expect(JSON.stringify(events)).not.toContain(base64(PNG).slice(0, 24));
  });

  it('are there again when a restarted server resumes the run', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fathom-images-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const mock = await startMockProvider({ respond: () => ({ fault: 'hang-before-headers' }) });
    onTestFinished(() => mock.close());
    const opened = async (): Promise<{
      readonly url: string;
      readonly store: Store;
      readonly close: () => Promise<void>;
    }> => {
      const store = sqliteStore(folder);
      const rlm = createRlm({ model: `${mock.url}/v1#root`, requireInspection: false, store });
      const server = await startServer({ rlm, store });
      const close = async (): Promise<void> => {
        await server.close();
        await rlm.close();
        await store.close();
      };
      return { url: server.url, store, close };
    };
    const first = await opened();
    const content = [
      { type: 'input_text', text: 'What is it?' },
      { type: 'input_image', image_url: dataUrl('png', PNG) },
    ];
    const body = { model: 'fathom', background: true, input: [{ role: 'user', content }] };
    const { json } = await raw(`${first.url}/v1/responses`, { body });
    await until(() => mock.inFlight === 1, 'the run is at work');
    await first.close();
    mock.respondWith(({ prompt }) =>
      prompt === 'sub' ? 'a boat' : cell('FINAL(f"{llm_query(\'sub\', images=[context[0]])} {context[0].kind}")'),
    );
    const second = await opened();
    onTestFinished(second.close);
    const [record] = await second.store.runs.list();
    await until(
      async () => (await second.store.runs.get(record?.id ?? ''))?.status === 'completed',
      'the run has ended',
    );
    const { json: read } = await raw(`${second.url}/v1/responses/${String(json.id)}`);
    expect(JSON.stringify(read)).toContain('a boat image');
    expect(imagesIn(mock.calls.at(-1)?.request.body)).toEqual([base64(PNG)]);
  });

  const inMessage = (...parts: readonly object[]): object => ({
    messages: [{ role: 'user', content: [{ type: 'text', text: 'q' }, ...parts] }],
  });
  const large = new Uint8Array(5 * 1024 * 1024 + 1);
  large.set(PNG);

  it.each([
    ['an address', inMessage(inChat('https://example.com/a.png')), /data URL.*fetches no files/],
    ['another format', inMessage(inChat(dataUrl('gif', Buffer.from('GIF89a')))), /image-1.*neither a PNG nor a JPEG/],
    ['a damaged one', inMessage(inChat('data:image/png;base64,iVBORw0KGgo=')), /image-1.*neither a PNG nor a JPEG/],
    ['one that is too large', inMessage(inChat(dataUrl('png', large))), /5242881 bytes.*5242880 \(DOOR_IMAGE_BYTES\)/],
    [
      'too many',
      inMessage(...Array.from({ length: DOOR_IMAGES + 1 }, () => inChat(dataUrl('png', PNG)))),
      /hold 17 images.*16 \(DOOR_IMAGES\)/,
    ],
  ])('are refused: %s', async (_, body, message) => {
    const { server, mock } = await serve({ respond: () => final('never') });
    const { status, json } = await raw(`${server.url}/v1/chat/completions`, { body: { model: 'fathom', ...body } });
    expect(status).toBe(400);
    expect(json).toMatchObject({ error: { param: 'messages', message: expect.stringMatching(message) } });
    expect(mock.calls).toEqual([]);
  });
});
