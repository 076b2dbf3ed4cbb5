import { type Input, Refusal } from './input.ts';
import type { Output } from './output.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Cells in order: text as it is, code in fences, then its output. Images of outputs are left out. */
export async function convertNotebook(input: Input, output: Output): Promise<void> {
  const notebook = object(JSON.parse(input.whole().toString('utf8')) as Json);
  const { cells, metadata } = notebook;
  if (!Array.isArray(cells)) throw new Refusal('it has no cells');
  const language =
    string(object(object(metadata).kernelspec).language) || string(object(object(metadata).language_info).name);
  let images = 0;
  for (const one of cells) {
    const cell = object(one);
    const source = joined(cell.source);
    if (cell.cell_type !== 'code') {
      output.text(`${source}\n\n`);
      continue;
    }
    output.text(`\`\`\`${language}\n${source}\n\`\`\`\n\n`);
    for (const result of Array.isArray(cell.outputs) ? cell.outputs : []) {
      const { text, image } = outputText(object(result));
      if (image) images += 1;
      if (text !== '') output.text(`Output:\n${text.trimEnd()}\n\n`);
    }
  }
  output.facts({ cells: cells.length, language });
  if (images > 0) output.note(`${images} images in outputs of cells are left out`);
}

function outputText(result: { readonly [key: string]: Json }): { readonly text: string; readonly image: boolean } {
  const data = object(result.data);
  const image = Object.keys(data).some((type) => type.startsWith('image/'));
  if (result.output_type === 'error') return { text: `${string(result.ename)}: ${string(result.evalue)}`, image };
  return { text: joined(result.text ?? data['text/plain'] ?? ''), image };
}

/** Texts of notebooks are often lists of lines. */
function joined(value: Json | undefined): string {
  return Array.isArray(value) ? value.map((line) => string(line)).join('') : string(value);
}

function string(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function object(value: Json | undefined): { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json })
    : {};
}
