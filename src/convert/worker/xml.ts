import { Parser } from 'htmlparser2';
import { Refusal } from './input.ts';

/** Called at the parts of an XML document. Names are without their prefix. */
export interface XmlVisitor {
  open?(name: string, attributes: Readonly<Record<string, string>>): void;
  text?(text: string): void;
  close?(name: string): void;
}

/**
 * Reads XML piece by piece. Declared entities are not expanded, and nothing outside of the document is read.
 *
 * @throws Refusal for a document that is cut short
 */
export async function readXml(pieces: AsyncIterable<Buffer>, visitor: XmlVisitor): Promise<void> {
  let ending = false;
  const parser = new Parser(
    {
      onopentag: (name, attributes) => visitor.open?.(localName(name), attributes),
      ontext: (text) => visitor.text?.(text),
      onclosetag: (name) => {
        if (ending) throw new Refusal(`it is cut short: the element ${name} of its XML does not end`);
        visitor.close?.(localName(name));
      },
    },
    { xmlMode: true, decodeEntities: true },
  );
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  for await (const piece of pieces) {
    decoder ??= new TextDecoder(piece[0] === 0xff ? 'utf-16le' : piece[0] === 0xfe ? 'utf-16be' : 'utf-8');
    parser.write(decoder.decode(piece, { stream: true }));
  }
  if (decoder !== undefined) parser.write(decoder.decode());
  // The parser closes now what the document has left open.
  ending = true;
  parser.end();
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/** An attribute by its local name. */
export function attribute(attributes: Readonly<Record<string, string>>, name: string): string | undefined {
  for (const [key, value] of Object.entries(attributes)) if (localName(key) === name) return value;
  return undefined;
}
