import { imageSize } from 'image-size';
import type { Input } from './input.ts';
import type { Output } from './output.ts';

/** Bytes of the head that hold the size of an image. */
const HEAD_BYTES = 512 * 1024;

/** Width, height and format. An image has no text. */
export async function convertImage(input: Input, output: Output): Promise<void> {
  const { width, height, type, orientation } = imageSize(input.readAt(0, HEAD_BYTES));
  output.facts({ format: type, width, height, orientation });
}
