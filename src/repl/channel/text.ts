/** Texts on their way into a guest. @module */

/** UTF-8 in which a lone surrogate is three bytes, so that it arrives as the same code point. */
export function encodeExact(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  const pieces: Buffer[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = at + 1 < text.length ? text.charCodeAt(at + 1) : 0;
    if (unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff) {
      at += 1;
      continue;
    }
    pieces.push(Buffer.from(text.slice(start, at), 'utf8'));
    pieces.push(Buffer.from([0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)]));
    start = at + 1;
  }
  pieces.push(Buffer.from(text.slice(start), 'utf8'));
  return Buffer.concat(pieces);
}
