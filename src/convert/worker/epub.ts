import { htmlText } from './html-text.ts';
import { type Input, Refusal } from './input.ts';
import { resolved } from './office.ts';
import type { Output } from './output.ts';
import { attribute, readXml } from './xml.ts';
import { openZip, type Zip } from './zip.ts';

const CONTAINER = 'META-INF/container.xml';

/** A page per chapter, in the order in which the book is read. */
export async function convertEpub(input: Input, output: Output): Promise<void> {
  const zip = await openZip(input);
  let packagePart = '';
  await readXml(zip.pieces(CONTAINER), {
    open(name, attributes) {
      if (name === 'rootfile' && packagePart === '') packagePart = attribute(attributes, 'full-path') ?? '';
    },
  });
  if (!zip.has(packagePart)) throw new Refusal('its container names no package');
  const chapters = await readPackage(zip, packagePart, output);
  for (const [at, chapter] of chapters.filter((part) => zip.has(part)).entries()) {
    if (at > 0) output.text('\f');
    output.page();
    output.text(htmlText(await zip.text(chapter)).text);
  }
}

/** Facts of the book: Dublin Core. */
const FACTS: ReadonlySet<string> = new Set(['creator', 'language', 'publisher', 'date', 'description', 'subject']);

async function readPackage(zip: Zip, part: string, output: Output): Promise<readonly string[]> {
  const folder = part.slice(0, part.lastIndexOf('/') + 1);
  const items = new Map<string, string>();
  const chapters: string[] = [];
  let value = '';
  await readXml(zip.pieces(part), {
    open(name, attributes) {
      value = '';
      const href = attribute(attributes, 'href');
      if (name === 'item' && href !== undefined)
        items.set(attribute(attributes, 'id') ?? '', resolved(folder, decodeURI(href)));
      const chapter = name === 'itemref' ? items.get(attribute(attributes, 'idref') ?? '') : undefined;
      if (chapter !== undefined) chapters.push(chapter);
    },
    text(piece) {
      value += piece;
    },
    close(name) {
      if (name === 'title' && output.title === undefined) output.title = value;
      if (FACTS.has(name)) output.facts({ [name === 'creator' ? 'author' : name]: value });
    },
  });
  return chapters;
}
