import type { StandardSchemaV1 } from '@standard-schema/spec';
import { messageOf } from '../errors.ts';
import { asNumbers, lostDigits, lostNumbers, parseWithDigits } from '../json-digits.ts';
import { pythonLiteralAsJson } from '../protocol/python-literal.ts';
import { cutMiddle } from '../repl/error-text.ts';
import type { Answer } from '../repl/port.ts';
import { jsonSchemaOf, propertiesOf } from './json-schema.ts';
import { keepsDigits } from './json-schema-answer.ts';

/** Most errors reported for one answer: a list of a million numbers may have one for each. */
const MAX_ERRORS = 100;
/** Most characters of one error: it quotes names of fields, which a cell may make as long as it likes. */
const MAX_ERROR_CHARS = 500;
/** Most characters of all errors of one answer: they go into the next request to the model. */
const MAX_ERRORS_CHARS = 10_000;

/** A validated answer, or the errors of one that does not fit. */
export type Checked =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly errors: readonly string[] };

/** The type of answer that the caller asked for, as JSON Schema and as checks. */
export interface AnswerType {
  /** JSON Schema text to show the model; `''` when the schema library cannot give one. */
  readonly schemaText: string;
  /** Property names in schema order, for `SUBMIT` by position. */
  readonly properties: readonly string[];
  /** An answer that came as a value. A text that does not fit as such is read as {@link checkText} does. */
  check(answer: Answer): Promise<Checked>;
  /** An answer written as text: read as JSON or as a Python literal, also in a fence, or taken as it is for string schemas. */
  checkText(text: string): Promise<Checked>;
}

/** The answer type of a Standard Schema. */
export function answerType(schema: StandardSchemaV1): AnswerType {
  const json = jsonSchemaOf(schema);

  async function checkText(text: string): Promise<Checked> {
    let misfit: Checked | undefined;
    for (const value of readingsOf(text)) {
      const checked = await validateDigits(schema, value);
      if (checked.ok) return checked;
      misfit ??= checked;
    }
    // `42` may be meant as the text it is; when it fits neither way, the errors of the value say more.
    const asText = await validate(schema, text);
    return asText.ok ? asText : (misfit ?? asText);
  }

  return {
    schemaText: json === undefined ? '' : JSON.stringify(json),
    properties: propertiesOf(json),
    checkText,
    async check({ json: given, text }) {
      const value = given === null ? text : parseWithDigits(given);
      const checked = await validateDigits(schema, value);
      if (checked.ok || typeof value !== 'string') return checked;
      return await checkText(value);
    },
  };
}

/** The values that a text may stand for, the most likely first. */
function readingsOf(text: string): readonly unknown[] {
  const inFence = FENCED.exec(text)?.[1];
  return [text, ...(inFence === undefined ? [] : [inFence])].flatMap((written) => {
    const read = parseJson(written) ?? parsePython(written);
    return read === undefined ? [] : [read.value];
  });
}

/** A text that is one fenced block. */
const FENCED = /^\s*```[^\n`]*\n([\s\S]*?)\n?```\s*$/;

/** Validates a value whose integers may be too long for a number. Those are errors, except where only JSON is made of it. */
async function validateDigits(schema: StandardSchemaV1, value: unknown): Promise<Checked> {
  const plain = asNumbers(value);
  const checked = await validate(schema, plain);
  if (!checked.ok) return checked;
  if (keepsDigits(schema)) return { ok: true, value };
  const lost = lostNumbers(value);
  return lost.length === 0 ? checked : { ok: false, errors: lost.map(lostDigits) };
}

async function validate(schema: StandardSchemaV1, value: unknown): Promise<Checked> {
  const result = await validated(schema, value);
  if (result.issues === undefined) return { ok: true, value: result.value };
  const errors = describeIssues(result.issues);
  const more = result.issues.length - errors.length;
  return { ok: false, errors: more > 0 ? [...errors, `… and ${more} more`] : errors };
}

/** Nothing fits a schema that throws; the reason is its error. */
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

interface Parsed {
  readonly value: unknown;
}

function parseJson(text: string): Parsed | undefined {
  try {
    return { value: parseWithDigits(text) };
  } catch {
    return undefined; // Not JSON: the text itself is the candidate.
  }
}

function parsePython(text: string): Parsed | undefined {
  const json = pythonLiteralAsJson(text);
  return json === undefined ? undefined : parseJson(json);
}
