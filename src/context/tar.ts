/**
 * Parts of a tar archive (POSIX.1-2001, pax) of files alone.
 *
 * @module
 */
const BLOCK = 512;
/** Bytes of the name in a header. */
const NAME_BYTES = 100;
/** Largest size that a header can state; a pax record states larger ones. */
const MAX_SIZE = 8 ** 11 - 1;

/** The header of a file; a name that does not fit is in a pax record before it. */
export function tarHeader(path: string, bytes: number): Buffer {
  if (bytes > MAX_SIZE) throw new RangeError(`a file of ${bytes} bytes does not fit into a tar header`);
  const name = Buffer.from(path);
  const plain = name.length <= NAME_BYTES && /^[\x20-\x7e]*$/.test(path);
  if (plain) return block(name, bytes, '0');
  const record = paxRecord('path', path);
  return Buffer.concat([
    block(Buffer.from('pax'), record.length, 'x'),
    record,
    tarPadding(record.length),
    block(name.subarray(0, NAME_BYTES), bytes, '0'),
  ]);
}

/** Zeros behind a content of so many bytes. */
export function tarPadding(bytes: number): Buffer<ArrayBuffer> {
  return Buffer.alloc((BLOCK - (bytes % BLOCK)) % BLOCK);
}

export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK);
}

function block(name: Buffer, bytes: number, type: '0' | 'x'): Buffer {
  const header = Buffer.alloc(BLOCK);
  name.copy(header);
  header.write('0000600\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${bytes.toString(8).padStart(11, '0')}\0`, 124);
  header.write(`${'0'.repeat(11)}\0`, 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write('ustar\u000000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** `LENGTH key=value\n`, where the length counts itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return Buffer.from(`${length} ${key}=${value}\n`);
}
