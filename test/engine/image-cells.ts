/** Cells with images, and images in requests. */
import type { ScriptedRequest } from '../../src/test.ts';

/** Python that makes an image. */
export const made = (name: string, data: Uint8Array): string =>
  `${name} = bytes.fromhex("${Buffer.from(data).toString('hex')}")`;

/** How many images all messages of a request have. */
export const allImages = (request: ScriptedRequest | undefined): number =>
  request?.messages.reduce((sum, { images = [] }) => sum + images.length, 0) ?? 0;

/** The images in the body of a request, as base64, whatever the provider's form. */
export function imagesIn(body: unknown): string[] {
  const found: string[] = [];
  JSON.stringify(body, (_, value: unknown) => {
    const text = typeof value === 'string' ? value.replace(/^data:image\/\w+;base64,/, '') : '';
    if (/^(?:iVBOR|\/9j\/)/.test(text)) found.push(text);
    return value;
  });
  return found;
}
