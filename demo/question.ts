import { z } from 'zod';

/** The demo's question about the six novels. */
export const QUESTION =
  'Who has the largest yearly income stated for one person in these novels? Name the person, the pounds per year (the upper end of a range), the document, and the sentence that says so.';

/** An answer to it. */
export interface DemoAnswer {
  readonly person: string;
  readonly poundsPerYear: number;
  /** Path of the document. */
  readonly novel: string;
  readonly quote: string;
}

/** The schema of the answer. */
export const ANSWER: z.ZodType<DemoAnswer> = z.object({
  person: z.string().min(1).describe('with title, e.g. Mr. Bingley'),
  poundsPerYear: z.number().int().positive(),
  novel: z.string().describe('path of the document, e.g. emma.txt'),
  quote: z.string().describe('the exact words that say it, blanks and line ends squeezed to one blank'),
});
