import { describe, expect, it } from 'vitest';
import { jpeg, png } from './image.testing.ts';
import { ModelImage } from './image.ts';
import { imageTokens, imageTokensIn, mayTakeImages } from './image-rules.ts';

describe('an image', () => {
  it('has its type and size from its header, and is its reference as JSON', () => {
    const image = new ModelImage(png(800, 600));
    expect(JSON.parse(JSON.stringify({ image }))).toEqual({
      image: {
        mediaType: 'image/png',
        width: 800,
        height: 600,
        bytes: 33,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    expect(`${image}`).toBe('image/png, 800 × 600, 33 bytes');
    expect(new ModelImage(jpeg(640, 480)).reference).toMatchObject({
      mediaType: 'image/jpeg',
      width: 640,
      height: 480,
    });
  });

  it('may have fill bytes before the frame of a JPEG', () => {
    const plain = [...jpeg(640, 480)];
    const filled = Uint8Array.of(...plain.slice(0, 20), 0xff, 0xff, ...plain.slice(20));
    expect(new ModelImage(filled).reference).toMatchObject({ width: 640, height: 480 });
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['text', new TextEncoder().encode('GIF89a is another format')],
    ['half a header', png(1, 1).slice(0, 20)],
    ['no width', png(0, 10)],
    ['a JPEG without a frame', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xd9)],
    ['a JPEG with an endless segment', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0)],
  ])('is refused: %s', (_, data) => {
    expect(() => new ModelImage(data)).toThrow(/neither PNG nor JPEG/);
  });
});

describe('the tokens to reserve', () => {
  // Published examples and measured bills, without the margin for wrappers.
  it.each([
    ['openai/gpt-4o', 1024, 1024, 765],
    ['openai/gpt-4o', 2048, 4096, 1105],
    ['openai/gpt-4o-mini', 512, 512, 2_833 + 5_667],
    ['openai/gpt-5', 1024, 1024, 70 + 4 * 140],
    ['openai/gpt-5-mini', 1024, 1024, 1_229],
    ['openai/gpt-5-nano', 4000, 4000, 2_304],
    ['anthropic/claude-sonnet-4-5', 1000, 1000, 1_334],
    ['anthropic/claude-opus-4-8', 2576, 1449, 4_784],
    ['anthropic/claude-haiku-4-5', 200, 200, 54],
    ['google/gemini-2.5-flash', 300, 300, 258],
    ['google/gemini-2.5-pro', 960, 540, 6 * 258],
    ['google/gemini-3-pro-preview', 300, 300, 1_120],
  ])('%s bills %i × %i as %i tokens at most', (id, width, height, billed) => {
    const reserved = imageTokens({ id }, { width, height });
    expect(reserved).toBeGreaterThanOrEqual(billed);
    expect(reserved).toBeLessThanOrEqual(billed * 2.2 + 100);
  });

  it('are a worst case where no rule is known, whatever the size', () => {
    expect(imageTokens({ id: 'ollama/llava' }, { width: 10, height: 10 })).toBeGreaterThan(16_000);
    expect(imageTokens({ id: 'ollama/llava' }, { width: 60_000, height: 60_000 })).toBeLessThan(17_000);
  });

  it('add up over a chat', () => {
    const images = [new ModelImage(png(100, 100)), new ModelImage(jpeg(100, 100))];
    const messages = [
      { role: 'user', content: 'x', images },
      { role: 'assistant', content: 'y' },
    ] as const;
    expect(imageTokensIn({ id: 'openai/gpt-4o' }, messages)).toBe(
      2 * imageTokens({ id: 'openai/gpt-4o' }, { width: 100, height: 100 }),
    );
  });
});

it('knows models that read text alone', () => {
  for (const id of [
    'openai/gpt-3.5-turbo',
    'openai/o3-mini',
    'groq/openai/gpt-oss-120b',
    'deepseek/deepseek-chat',
    'http://h/v1#llama-3.1-8b',
  ])
    expect(mayTakeImages({ id }), id).toBe(id.includes('#'));
  for (const id of ['openai/gpt-5', 'anthropic/claude-opus-4-8', 'google/gemini-3-pro', 'ollama/llava', 'scripted/sub'])
    expect(mayTakeImages({ id }), id).toBe(true);
});
