import type { StandardSchemaV1 } from '@standard-schema/spec';
import { RlmError } from '../errors.ts';
import type { Answer } from '../repl/port.ts';
import { isStandardSchema, jsonSchemaOf, propertiesOf } from '../subcall/json-schema.ts';

/** A validated answer, or every error of one that does not fit. */
export type Checked =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly errors: readonly string[] };

/** What the caller wants the answer to be. */
export interface AnswerType {
  /** JSON Schema text to show the model; `''` when the schema library cannot give one. */
  readonly schemaText: string;
  /** Property names in schema order, for `SUBMIT` by position. */
  readonly properties: readonly string[];
  /** An answer that came as a value. */
  check(answer: Answer): Promise<Checked>;
  /** An answer written as text: read as JSON, or taken as it is for string schemas. */
  checkText(text: string): Promise<Checked>;
}

/** The answer type of a Standard Schema. @throws RlmError `invalid-option` for anything else */
export function answerType(schema: StandardSchemaV1): AnswerType {
  if (!isStandardSchema(schema)) {
    throw new RlmError({
      code: 'invalid-option',
      message:
        'The output must be a Standard Schema, such as one of zod; make one of a JSON Schema by jsonSchema({ … }).',
      userAction: true,
    });
  }
  const json = jsonSchemaOf(schema);
  return {
    schemaText: json === undefined ? '' : JSON.stringify(json),
    properties: propertiesOf(json),
    check: (answer) => validate(schema, answer.json === null ? answer.text : JSON.parse(answer.json)),
    async checkText(text) {
      const parsed = parseJson(text);
      if (parsed === undefined) return await validate(schema, text);
      const checked = await validate(schema, parsed.value);
      if (checked.ok) return checked;
      // `42` may be meant as the text it is; when it fits neither way, the errors of the value say more.
      const asText = await validate(schema, text);
      return asText.ok ? asText : checked;
    },
  };
}

async function validate(schema: StandardSchemaV1, value: unknown): Promise<Checked> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return { ok: true, value: result.value };
  return { ok: false, errors: result.issues.map(describeIssue) };
}

function describeIssue(issue: StandardSchemaV1.Issue): string {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}

function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined; // Not JSON: the text itself is the candidate.
  }
}
