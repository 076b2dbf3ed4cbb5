import type { Answer } from '../repl/port.ts';
import { type AnswerType, answerType, type Checked } from '../schema/answer-type.ts';
import { jsonSchema } from '../schema/json-schema-answer.ts';
import type { GivenCitation } from './check-citations.ts';
import { MAX_CITATIONS } from './limits.ts';

/** An answer with its citations, as it was validated. */
export class CitedAnswer {
  readonly answer: unknown;
  readonly citations: readonly GivenCitation[];

  constructor(answer: unknown, citations: readonly GivenCitation[]) {
    this.answer = answer;
    this.citations = citations;
  }
}

const CITATIONS = {
  type: 'array',
  minItems: 1,
  maxItems: MAX_CITATIONS,
  description:
    'For each fact that the answer rests on: a quote copied word for word from the context, which code looks up there. ' +
    'search() and llm_extract() return places.',
  items: {
    type: 'object',
    properties: {
      document: {
        description: 'Path, key or index of the document, or the name of the context; null where there is one text',
        type: ['string', 'integer', 'null'],
      },
      start: { type: ['integer', 'null'], description: 'Where the quote begins in the document, in characters' },
      end: { type: ['integer', 'null'] },
      quote: { type: 'string', minLength: 1 },
    },
    required: ['quote'],
  },
} as const;

const FORM = 'answer with {"answer": …, "citations": [{"document": …, "start": …, "end": …, "quote": …}]}';

/** The type of an answer with citations: `{ answer, citations }`, whose `answer` has the caller's type. */
export function citedType(inner: AnswerType | undefined): AnswerType {
  const schema = {
    type: 'object',
    properties: { answer: schemaOf(inner), citations: CITATIONS },
    required: ['answer', 'citations'],
  };
  // The caller's own schema validates the answer: JSON Schema may not be able to say all of it.
  const outer = answerType(
    jsonSchema({
      ...schema,
      properties: { ...schema.properties, answer: inner === undefined ? { type: 'string' } : {} },
    }),
  );
  const withInner = async (checked: Checked): Promise<Checked> => {
    if (!checked.ok) return { ok: false, errors: [FORM, ...checked.errors] };
    const { answer, citations } = checked.value as {
      readonly answer: unknown;
      readonly citations: readonly GivenCitation[];
    };
    const own = inner === undefined ? nonEmpty(answer) : await inner.check(asAnswer(answer));
    return own.ok ? { ok: true, value: new CitedAnswer(own.value, citations) } : own;
  };
  return {
    schemaText: JSON.stringify(schema),
    properties: ['answer', 'citations'],
    check: async (answer) => await withInner(await outer.check(answer)),
    checkText: async (text) => await withInner(await outer.checkText(text)),
  };
}

function schemaOf(inner: AnswerType | undefined): unknown {
  if (inner === undefined) return { type: 'string' };
  return inner.schemaText === '' ? {} : (JSON.parse(inner.schemaText) as unknown);
}

function nonEmpty(answer: unknown): Checked {
  if (typeof answer === 'string' && answer.trim() !== '') return { ok: true, value: answer };
  return { ok: false, errors: ['answer: it is empty'] };
}

function asAnswer(value: unknown): Answer {
  return { via: 'final', json: JSON.stringify(value), text: typeof value === 'string' ? value : JSON.stringify(value) };
}
