import { describe, expect, it } from 'vitest';
import { isNamedContexts, partsOf } from '../context/input.ts';
import { type ContextSet, loadContext } from '../context/load.ts';
import { png } from '../model/image.testing.ts';
import { type DoorMessage, type DoorPart, requestFromMessages } from './messages.ts';

const text = (role: DoorMessage['role'], ...texts: readonly string[]): DoorMessage => ({
  role,
  parts: texts.map((one) => ({ type: 'text', text: one })),
});
const file = (data: string | Uint8Array, name?: string, mediaType = 'text/plain'): DoorPart => ({
  ...{ type: 'file', data, mediaType },
  ...(name !== undefined && { name }),
});
const bytes = (...numbers: readonly number[]): Uint8Array => new Uint8Array(numbers);

async function documentsOf(set: ContextSet): Promise<readonly (readonly [string, unknown])[]> {
  const value = set.kind === 'one' ? set.context.value : set.contexts.get('files')?.value;
  if (value?.kind !== 'documents') throw new Error(`no documents: ${value?.kind}`);
  return value.documents.map(({ path, content }) => [path, content.kind === 'text' ? content.text : content]);
}

describe('messages as a request', () => {
  it('takes the last user message as the query, and system messages as instructions', () => {
    const request = requestFromMessages([
      text('system', 'Be short.'),
      text('user', 'Why?'),
      text('system', 'In French.'),
    ]);
    expect(request).toEqual({ query: 'Why?', instructions: 'Be short.\n\nIn French.' });
    expect(requestFromMessages([text('user', 'One.', 'Two?')])).toEqual({ query: 'One.\n\nTwo?' });
  });

  it('puts earlier messages, and those after the question, into `context`', () => {
    const request = requestFromMessages([
      ...[text('user', 'Who wrote it?'), text('assistant', 'Jane Austen.'), text('user', 'When?')],
      text('tool', 'looked up'),
    ]);
    expect(request).toEqual({
      query: 'When?',
      context: [
        { role: 'user', content: 'Who wrote it?' },
        { role: 'assistant', content: 'Jane Austen.' },
        { role: 'tool', content: 'looked up' },
      ],
    });
  });

  it('makes a long message the context, and its query of its beginning and end', () => {
    const long = `${'a'.repeat(4_000)}${'b'.repeat(4_001)}`;
    const { query, context } = requestFromMessages([text('user', long)]);
    expect(context).toBe(long);
    expect(query).toBe(
      `${'a'.repeat(1_000)}\n\n[6001 characters are left out here. All 8001 characters of this message are in \`context\`.]\n\n${'b'.repeat(1_000)}`,
    );
    expect(requestFromMessages([text('user', long.slice(1))])).toEqual({ query: long.slice(1) });
  });

  it('takes the length from the rule, and cuts no character in two', () => {
    const { query, context } = requestFromMessages([text('user', '😀'.repeat(10))], { queryChars: 9 });
    expect(context).toBe('😀'.repeat(10));
    expect(query.startsWith(`${'😀'.repeat(2)}\n\n[`)).toBe(true);
    expect(query.isWellFormed()).toBe(true);
    for (const queryChars of [0, -1, 1.5, Number.NaN]) {
      expect(() => requestFromMessages([text('user', 'q')], { queryChars })).toThrow(/queryChars/);
    }
  });

  it('gives several pieces their own names', async () => {
    const { query, context } = requestFromMessages(
      [
        { role: 'user', parts: [{ type: 'text', text: 'See this.' }, file('a,b\n', 'a.csv')] },
        text('assistant', 'Yes.'),
        { role: 'user', parts: [{ type: 'text', text: 'x'.repeat(30) }, file(bytes(0xef, 0xbb, 0xbf, 0x62), 'b.txt')] },
      ],
      { queryChars: 20 },
    );
    expect(query).toContain('All 30 characters of this message are in `context["message"]`.');
    expect(isNamedContexts(context)).toBe(true);
    if (!isNamedContexts(context)) return;
    expect(partsOf(context)).toMatchObject({
      message: 'x'.repeat(30),
      conversation: [
        { role: 'user', content: 'See this.\n\n[file: a.csv]' },
        { role: 'assistant', content: 'Yes.' },
      ],
    });
    expect(await documentsOf(await loadContext(context))).toEqual([
      ['a.csv', 'a,b\n'],
      ['b.txt', 'b'],
    ]);
  });

  it('needs a question', () => {
    const files = { role: 'user', parts: [file('x')] } as const;
    for (const messages of [[], [text('system', 's')], [text('user', ' \n')], [text('user', 'a'), files]]) {
      expect(() => requestFromMessages(messages)).toThrow(
        expect.objectContaining({ code: 'invalid-option', data: { param: 'messages' } }),
      );
    }
  });
});

describe('files of messages', () => {
  const request = (...parts: readonly DoorPart[]) =>
    requestFromMessages([{ role: 'user', parts: [{ type: 'text', text: 'q' }, ...parts] }]);

  it('are documents, and equal names get a suffix', async () => {
    const { context } = request(file('1'), file('2', 'a'), file('3', 'a'), file('4', 'a'));
    expect(await documentsOf(await loadContext(context))).toEqual([
      ...[['file', '1'] as const, ['a', '2'] as const, ['a (2)', '3'] as const, ['a (3)', '4'] as const],
    ]);
  });

  it('that are images are documents with bytes, and the conversation names them alike', async () => {
    const image = png(3, 2);
    const { context } = requestFromMessages([
      { role: 'user', parts: [{ type: 'text', text: 'Look.' }, file(image, undefined, 'image/*'), file('t', 'a')] },
      { role: 'user', parts: [{ type: 'text', text: 'q' }, file(image, 'a', 'image/png')] },
    ]);
    const set = await loadContext(context);
    expect(await documentsOf(set)).toEqual([
      ['image-1.png', { kind: 'bytes', data: image }],
      ['a', 't'],
      ['a (2)', { kind: 'bytes', data: image }],
    ]);
    expect(isNamedContexts(context) && partsOf(context).conversation).toEqual([
      { role: 'user', content: 'Look.\n\n[file: image-1.png]\n\n[file: a]' },
    ]);
  });

  it.each([
    ['a PDF', file(Buffer.from('%PDF-1.7'), 'a.pdf', 'application/pdf'), /a\.pdf .*it is a PDF, not text: convert it/],
    ['a zip archive', file(bytes(0x50, 0x4b, 3, 4), 'a.zip', 'text/plain'), /it is a zip archive/],
    ['binary data', file(new Uint8Array(100), 'x', 'text/plain'), /it is binary data/],
    ['another encoding', file(bytes(0x61, 0xe9, 0x62), 'l1.txt'), /it is not UTF-8 text/],
    [
      'an image',
      file(bytes(1), 'a.png', 'image/png'),
      /a\.png .*it is neither a PNG nor a JPEG image, or it is damaged: convert it to PNG first/,
    ],
    ['audio', file('AAAA', undefined, 'audio'), /it is of the type audio.*: transcribe it first/],
  ])('%s is refused before anything is spent', (_, part, message) => {
    expect(() => request(part)).toThrow(
      expect.objectContaining({ code: 'context-invalid', message: expect.stringMatching(message) }),
    );
  });
});
