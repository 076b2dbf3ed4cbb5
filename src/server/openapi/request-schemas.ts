/**
 * JSON Schemas of request bodies: they are checked before anything is done, and are part of the OpenAPI document. Those of
 * OpenAI's API leave room for fields that this server does not know.
 *
 * @module
 */
import type { Schema } from '@cfworker/json-schema';

const TEXT: Schema = { type: 'string' };
const OBJECT: Schema = { type: 'object' };
const POSITIVE: Schema = { type: 'integer', minimum: 1 };
const EFFORT: Schema = { enum: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] };
const nullable = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });

const FILE: Schema = {
  type: 'object',
  required: ['name', 'text'],
  additionalProperties: false,
  properties: { name: { type: 'string', minLength: 1, maxLength: 1_024 }, text: TEXT },
};

/** The fields of a question in the API of Fathom. */
const QUESTION: Readonly<Record<string, Schema>> = {
  query: { ...TEXT, pattern: '\\S', description: 'The question.' },
  context: { description: 'The subject of the question: a text, or any JSON value, as the variable `context`.' },
  files: { type: 'array', minItems: 1, items: FILE, description: 'Text files, as a list of documents.' },
  paths: {
    ...{ type: 'array', minItems: 1, items: { ...TEXT, minLength: 1 } },
    description: 'Files, folders and glob patterns below the folders of --root.',
  },
  schema: { ...OBJECT, description: 'JSON Schema of the answer.' },
  instructions: { ...TEXT, description: 'Added to the system prompt.' },
};

const named = (properties: Readonly<Record<string, Schema>>, required: readonly string[]): Schema => ({
  type: 'object',
  required: [...required],
  additionalProperties: false,
  properties: { ...properties },
});

/** The name of a request's schema. */
export type RequestSchema =
  | 'ChatCompletionRequest'
  | 'ResponseRequest'
  | 'RunRequest'
  | 'ReasonRequest'
  | 'PageSessionRequest'
  | 'SessionRequest'
  | 'SessionQuestion'
  | 'ExecuteRequest'
  | 'BashRequest'
  | 'VariableRequest'
  | 'SnapshotRequest';

/** By the name of the schema in the document. */
export const REQUEST_SCHEMAS: Readonly<Record<RequestSchema, Schema>> = {
  ChatCompletionRequest: {
    type: 'object',
    required: ['model', 'messages'],
    properties: {
      model: TEXT,
      messages: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          required: ['role'],
          properties: {
            role: { enum: ['system', 'developer', 'user', 'assistant', 'tool', 'function'] },
            content: { anyOf: [TEXT, { type: 'null' }, { type: 'array', items: { ...OBJECT, required: ['type'] } }] },
          },
        },
      },
      stream: nullable({ type: 'boolean' }),
      stream_options: nullable(OBJECT),
      response_format: nullable({
        ...OBJECT,
        required: ['type'],
        properties: { type: { enum: ['text', 'json_object', 'json_schema'] } },
      }),
      max_tokens: nullable(POSITIVE),
      max_completion_tokens: nullable(POSITIVE),
      temperature: nullable({ type: 'number', minimum: 0 }),
      reasoning_effort: nullable(EFFORT),
    },
  },
  ResponseRequest: {
    type: 'object',
    required: ['model', 'input'],
    properties: {
      model: TEXT,
      input: {
        anyOf: [
          { ...TEXT, minLength: 1 },
          { type: 'array', minItems: 1, items: OBJECT },
        ],
      },
      instructions: nullable(TEXT),
      stream: nullable({ type: 'boolean' }),
      background: nullable({ type: 'boolean' }),
      text: nullable({
        ...OBJECT,
        properties: {
          format: {
            ...OBJECT,
            required: ['type'],
            properties: { type: { enum: ['text', 'json_object', 'json_schema'] }, schema: OBJECT },
          },
        },
      }),
      max_output_tokens: nullable(POSITIVE),
      temperature: nullable({ type: 'number', minimum: 0 }),
      reasoning: nullable({ ...OBJECT, properties: { effort: nullable(EFFORT) } }),
      metadata: nullable({ ...OBJECT, additionalProperties: TEXT }),
    },
  },
  RunRequest: named({ ...QUESTION, model: { ...TEXT, description: 'One of /v1/models.' } }, ['query']),
  ReasonRequest: named({ reason: TEXT }, []),
  PageSessionRequest: named({ key: TEXT, token: TEXT }, []),
  SessionRequest: named(
    {
      context: QUESTION.context ?? {},
      files: QUESTION.files ?? {},
      paths: QUESTION.paths ?? {},
      lifetime_ms: { type: 'number', exclusiveMinimum: 0 },
    },
    [],
  ),
  SessionQuestion: named(QUESTION, ['query']),
  ExecuteRequest: named({ code: TEXT, timeout_ms: POSITIVE }, ['code']),
  BashRequest: named({ command: TEXT, timeout_ms: POSITIVE }, ['command']),
  VariableRequest: named({ value: {} }, ['value']),
  SnapshotRequest: named({ name: TEXT }, ['name']),
};
