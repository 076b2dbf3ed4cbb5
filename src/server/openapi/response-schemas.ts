/**
 * JSON Schemas of responses, for the OpenAPI document. The tests validate every response against them.
 *
 * @module
 */
import type { Schema } from '@cfworker/json-schema';

export const TEXT: Schema = { type: 'string' };
export const COUNT: Schema = { type: 'integer', minimum: 0 };
export const NUMBER: Schema = { type: 'number', minimum: 0 };
export const BOOLEAN: Schema = { type: 'boolean' };
const LIST: Schema = { type: 'array' };
export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
export const nullable = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });
const list = (name: string): Schema => record({ object: { const: 'list' }, data: { type: 'array', items: ref(name) } });

/** An object with exactly these fields. */
export function record(
  properties: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema {
  return {
    type: 'object',
    required: Object.keys(properties),
    additionalProperties: false,
    properties: { ...properties, ...optional },
  };
}

const FACTS = record({
  ...{ run_id: TEXT, outcome: { enum: ['converged', 'exhausted'] }, stop: TEXT, turns: COUNT, sub_calls: COUNT },
  ...{ isolation: TEXT, cost_usd: nullable(NUMBER) },
});

const CHAT_USAGE = record({
  ...{ prompt_tokens: COUNT, completion_tokens: COUNT, total_tokens: COUNT },
  prompt_tokens_details: record({ cached_tokens: COUNT }),
});

const RESPONSE_USAGE = record({
  ...{ input_tokens: COUNT, output_tokens: COUNT, total_tokens: COUNT },
  input_tokens_details: record({ cached_tokens: COUNT }),
  output_tokens_details: record({ reasoning_tokens: COUNT }),
});

const RUN_RESULT = record({
  outcome: { enum: ['converged', 'exhausted', 'failed', 'aborted'] },
  ...{ stop: TEXT, text: TEXT, reason: nullable(TEXT), turns: COUNT, sub_calls: COUNT, typed: BOOLEAN },
  ...{ input_tokens: COUNT, output_tokens: COUNT, cost_usd: nullable(NUMBER), elapsed_ms: NUMBER },
});

/** By the name of the schema in the document. */
export const RESPONSE_SCHEMAS: Readonly<Record<string, Schema>> = {
  Error: record({ error: record({ message: TEXT, type: TEXT, code: TEXT, param: nullable(TEXT) }) }),
  Health: record({ status: { enum: ['ok', 'stopping'] } }),
  Model: record({ id: TEXT, object: { const: 'model' }, created: COUNT, owned_by: TEXT }),
  ModelList: list('Model'),
  ChatCompletion: record({
    ...{ id: TEXT, object: { const: 'chat.completion' }, created: COUNT, model: TEXT },
    choices: {
      type: 'array',
      items: record({
        ...{ index: COUNT, logprobs: { type: 'null' }, finish_reason: { enum: ['stop', 'length'] } },
        message: record({ role: { const: 'assistant' }, content: TEXT, refusal: { type: 'null' } }),
      }),
    },
    ...{ usage: CHAT_USAGE, fathom: FACTS },
  }),
  ChatCompletionChunk: record(
    {
      ...{ id: TEXT, object: { const: 'chat.completion.chunk' }, created: COUNT, model: TEXT },
      choices: {
        type: 'array',
        items: record({
          delta: record({}, { role: { const: 'assistant' }, content: TEXT, reasoning_content: TEXT }),
          ...{ index: COUNT, logprobs: { type: 'null' }, finish_reason: nullable({ enum: ['stop', 'length'] }) },
        }),
      },
    },
    { usage: nullable(CHAT_USAGE), fathom: FACTS },
  ),
  Response: record(
    {
      ...{ id: TEXT, object: { const: 'response' }, created_at: COUNT, model: TEXT, background: BOOLEAN, output: LIST },
      status: { enum: ['in_progress', 'completed', 'incomplete', 'failed', 'cancelled'] },
      error: nullable(record({ code: TEXT, message: TEXT })),
      incomplete_details: nullable(record({ reason: TEXT })),
      ...{ usage: nullable(RESPONSE_USAGE), previous_response_id: { type: 'null' }, instructions: { type: 'null' } },
      ...{ metadata: { type: 'object' }, parallel_tool_calls: BOOLEAN, tool_choice: TEXT, tools: LIST },
      ...{ temperature: { type: 'null' }, top_p: { type: 'null' } },
    },
    { fathom: FACTS },
  ),
  Run: record({
    ...{ id: TEXT, object: { const: 'run' }, created_at: TEXT, updated_at: TEXT, query: TEXT, detached: BOOLEAN },
    status: { enum: ['queued', 'running', 'interrupted', 'paused', 'completed', 'failed', 'aborted'] },
    ...{ session_id: nullable(TEXT), result: nullable(RUN_RESULT) },
  }),
  RunList: list('Run'),
  Session: record({
    ...{ id: TEXT, object: { const: 'session' }, state: TEXT, created_at: TEXT, expires_at: TEXT, extensions: COUNT },
    ...{ variables: LIST, snapshots: LIST, input_tokens: COUNT, output_tokens: COUNT, cost_usd: nullable(NUMBER) },
  }),
  SessionList: list('Session'),
  CellResult: record({
    ...{ ok: BOOLEAN, stdout: TEXT, stderr: TEXT, value: nullable(TEXT), duration_ms: NUMBER, timed_out: BOOLEAN },
    error: nullable(record({ type: TEXT, message: TEXT })),
  }),
  BashResult: record({
    ...{ ok: BOOLEAN, exit_code: { type: 'integer' }, stdout: TEXT, stderr: TEXT, duration_ms: NUMBER },
    timed_out: BOOLEAN,
  }),
  Variable: record({ name: TEXT, value: {} }),
  VariableList: record({ object: { const: 'list' }, data: LIST }),
  Snapshot: { type: 'object', required: ['name'], properties: { name: TEXT } },
  SnapshotList: list('Snapshot'),
  Status: record({
    ...{ max_repls: COUNT, max_queued_runs: COUNT, repls: COUNT, sessions: COUNT, queued: COUNT, runs: COUNT },
    own: record({ key: TEXT, runs: COUNT, max_runs: COUNT }),
  }),
};
