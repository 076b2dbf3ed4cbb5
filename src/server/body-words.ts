import type { OutputUnit, Schema } from '@cfworker/json-schema';

/** The problem of a field, for a message. */
export interface ProblemWords {
  readonly words: string;
  /** The name of a field that is missing. */
  readonly missing?: string;
}

const TYPES: Readonly<Record<string, string>> = {
  ...{ string: 'a text', integer: 'a whole number', number: 'a number', boolean: 'true or false' },
  ...{ object: 'an object', array: 'a list' },
};

/** @param problems of one place in a body, where the alternatives of its schema have one each */
export function problemWords(problems: readonly OutputUnit[], schema: Schema): ProblemWords {
  const types = problems.map((problem) => typeOf(problem, schema));
  const other = problems.find((_, index) => types[index] === undefined);
  if (other !== undefined) return wordsOf(other, schema);
  // A field that may be null may as well be left out.
  const wanted = types.flatMap((type) => TYPES[type ?? ''] ?? []);
  return { words: `it has to be ${wanted.join(' or ')}` };
}

function typeOf({ keyword, keywordLocation }: OutputUnit, schema: Schema): string | undefined {
  return keyword === 'type' ? String(valueAt(schema, keywordLocation)) : undefined;
}

function wordsOf({ keyword, keywordLocation, error }: OutputUnit, schema: Schema): ProblemWords {
  const value = valueAt(schema, keywordLocation);
  switch (keyword) {
    case 'required': {
      const [, missing = ''] = /"([^"]+)"/.exec(error) ?? [];
      return { words: `it needs the field ${missing}`, missing };
    }
    case 'false': {
      const parent = valueAt(schema, keywordLocation.replace(/\/[^/]*$/, '')) as Schema | undefined;
      const fields = Object.keys(parent?.properties ?? {}).join(', ');
      return { words: `there is no such field${fields === '' ? '' : `; the fields are ${fields}`}` };
    }
    case 'enum':
      return { words: `it has to be one of ${(value as readonly unknown[]).join(', ')}` };
    case 'minimum':
      return { words: `it has to be at least ${String(value)}` };
    case 'exclusiveMinimum':
      return { words: `it has to be above ${String(value)}` };
    case 'minItems':
    case 'minLength':
    case 'pattern':
      return { words: 'it must not be empty' };
    default:
      return { words: error.replace(/\.$/, '') };
  }
}

/** The part of a schema at a JSON Pointer. */
function valueAt(schema: Schema, pointer: string): unknown {
  const steps = pointer.split('/').slice(1);
  return steps.reduce<unknown>(
    (found, step) => (found as Readonly<Record<string, unknown>> | undefined)?.[step],
    schema,
  );
}
