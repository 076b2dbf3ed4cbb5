/** Images for tests: headers that say a size, without pixels. */

/** The beginning of a PNG file: its mark and its first chunk. */
export function png(width: number, height: number): Uint8Array {
  const data = new Uint8Array(33);
  data.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
  const view = new DataView(data.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  data.set([8, 2], 24);
  return data;
}

/** The beginning of a JPEG file: a JFIF segment and a frame. */
export function jpeg(width: number, height: number): Uint8Array {
  const jfif = [0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0];
  const frame = [0xff, 0xc0, 0, 17, 8, height >> 8, height & 255, width >> 8, width & 255, 3];
  return Uint8Array.of(0xff, 0xd8, ...jfif, ...frame, ...new Uint8Array(40));
}
