import type { ConvertedKind } from '../kinds.ts';
import type { Input } from './input.ts';
import type { Output } from './output.ts';

/** Converts a file of one kind. Each converter is loaded when it is needed. */
type Converter = (input: Input, output: Output) => Promise<void>;

const CONVERTERS: Readonly<Record<ConvertedKind, () => Promise<Converter>>> = {
  pdf: async () => (await import('./pdf.ts')).convertPdf,
  docx: async () => (await import('./docx.ts')).convertDocx,
  pptx: async () => (await import('./pptx.ts')).convertPptx,
  xlsx: async () => (await import('./xlsx.ts')).convertXlsx,
};

/** @throws Refusal, or the error of the parser for a file that it cannot read */
export async function convert(kind: ConvertedKind, input: Input, output: Output): Promise<void> {
  const converter = await CONVERTERS[kind]();
  await converter(input, output);
}
