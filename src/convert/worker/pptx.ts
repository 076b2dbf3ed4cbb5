import { type Input, Refusal } from './input.ts';
import { readProperties, relationships } from './office.ts';
import type { Output } from './output.ts';
import { attribute, readXml } from './xml.ts';
import { openZip, type Zip } from './zip.ts';

const PRESENTATION = 'ppt/presentation.xml';

/** A page per slide: its paragraphs, rows of its tables with tabs, then the speaker's notes. */
export async function convertPptx(input: Input, output: Output): Promise<void> {
  const zip = await openZip(input);
  if (!zip.has(PRESENTATION)) throw new Refusal(`it has no ${PRESENTATION}`);
  await readProperties(zip, 'docProps/core.xml', output);
  const slides = await slideParts(zip);
  for (const [index, part] of slides.entries()) {
    if (index > 0) output.text('\f');
    output.page();
    output.text(await paragraphs(zip, part));
    const notes = [...(await relationships(zip, part)).values()].find((target) => target.includes('/notesSlides/'));
    const spoken = notes === undefined ? '' : await paragraphs(zip, notes);
    if (spoken.trim() !== '') output.text(`\nNotes: ${spoken}`);
  }
  output.meta.slides = slides.length;
}

/** In the order of the presentation. */
async function slideParts(zip: Zip): Promise<readonly string[]> {
  const targets = await relationships(zip, PRESENTATION);
  const parts: string[] = [];
  await readXml(zip.pieces(PRESENTATION), {
    open(name, attributes) {
      const id = name === 'sldId' ? (attributes['r:id'] ?? attribute(attributes, 'id')) : undefined;
      const target = id === undefined ? undefined : targets.get(id);
      if (target !== undefined) parts.push(target);
    },
  });
  return parts;
}

async function paragraphs(zip: Zip, part: string): Promise<string> {
  let text = '';
  let inText = false;
  let cells = 0;
  let inField = false;
  await readXml(zip.pieces(part), {
    open(name, attributes) {
      if (name === 't') inText = true;
      // The number of the slide does not belong to its text.
      if (name === 'fld') inField = attribute(attributes, 'type') === 'slidenum';
      if (name === 'br') text += '\n';
      if (name === 'tr') cells = 0;
      if (name === 'tc') {
        text = `${text.replace(/\n$/, '')}${cells === 0 ? '\n' : '\t'}`;
        cells += 1;
      }
    },
    text(piece) {
      if (inText && !inField) text += piece;
    },
    close(name) {
      if (name === 't') inText = false;
      if (name === 'fld') inField = false;
      if (name === 'p' && !text.endsWith('\n')) text += '\n';
    },
  });
  return text.replace(/^\n+/, '');
}
