import type { StandardSchemaV1 } from '@standard-schema/spec';
import { messageOf } from '../errors.ts';
import { cutMiddle } from '../repl/error-text.ts';
import type { Answer } from '../repl/port.ts';
import { jsonSchemaOf, propertiesOf } from './json-schema.ts';

/** Errors reported for one answer: a list of a million numbers may have one for each. */
const MAX_ERRORS = 100;
/** Characters of one error: it quotes names of fields, which a cell may make as long as it likes. */
const MAX_ERROR_CHARS = 500;
/** Characters of all errors of one answer: they go into the next request to the model. */
const MAX_ERRORS_CHARS = 10_000;

/** A validated answer, or the errors of one that does not fit. */
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

/** The answer type of a Standard Schema. */
export function answerType(schema: StandardSchemaV1): AnswerType {
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
  const result = await validated(schema, value);
  if (result.issues === undefined) return { ok: true, value: result.value };
  const errors = describeIssues(result.issues);
  const more = result.issues.length - errors.length;
  return { ok: false, errors: more > 0 ? [...errors, `… and ${more} more`] : errors };
}

/** A schema that throws fits nothing; what it throws is the reason. */
async function validated(schema: StandardSchemaV1, value: unknown): Promise<StandardSchemaV1.Result<unknown>> {
  try {
    return await schema['~standard'].validate(value);
  } catch (error) {
    return { issues: [{ message: `the output schema itself failed: ${messageOf(error)}` }] };
  }
}

function describeIssues(issues: readonly StandardSchemaV1.Issue[]): readonly string[] {
  const errors: string[] = [];
  let room = MAX_ERRORS_CHARS;
  for (const issue of issues.slice(0, MAX_ERRORS)) {
    const error = cutMiddle(describeIssue(issue), MAX_ERROR_CHARS);
    room -= error.length;
    if (room < 0) break;
    errors.push(error);
  }
  return errors;
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
