import { invalidOption, isObject, isStandardSchema, kindOf } from '../argument-checks.ts';
import { RlmError } from '../errors.ts';
import { jsonText } from '../json-text.ts';
import { isPythonBuiltin, isReservedName, isVariableName } from '../repl/names.ts';
import type { JsonValue, ReplValue, ToolBinding } from '../repl/port.ts';
import { jsonSchemaOf, propertiesOf } from '../schema/json-schema.ts';
import { validatingSchema } from '../schema/json-schema-answer.ts';

/**
 * Functions and values for cells, besides the built-in helpers: AI SDK tools (`tool({ description, inputSchema, execute })`),
 * functions with a `description`, and JSON values.
 *
 * @example
 * ```ts
 * const tools = {
 *   lookup: tool({ description: 'Finds a customer.', inputSchema: z.object({ id: z.number() }), execute: ({ id }) => db.find(id) }),
 *   today: Object.assign(() => new Date().toISOString(), { description: 'The date, ISO 8601.' }),
 *   regions: ['north', 'south'],
 * };
 * ```
 */
export type ToolSet = Readonly<Record<string, HostTool | DescribedFunction | JsonValue>>;

/** A tool as the AI SDK makes it; `execute` gets all arguments in one object. */
export interface HostTool {
  /** Describes the tool to the model; a description that is not a text is ignored. */
  readonly description?: unknown;
  /** A Standard Schema, or an AI SDK schema with `jsonSchema` and `validate`. Default: arguments are passed on unchecked. */
  readonly inputSchema?: unknown;
  // biome-ignore lint/suspicious/noExplicitAny: the argument type of a foreign tool is only known to its schema.
  readonly execute?: (args: any, options: any) => unknown;
}

/**
 * A function with a description; it gets its keyword arguments in one object. `parameters` are their names, or a schema, as
 * `inputSchema` is. Without them the model sees no parameters, and cells have to use keyword arguments.
 */
// biome-ignore lint/suspicious/noExplicitAny: as above.
export type DescribedFunction = ((args: any, options: any) => unknown) & {
  readonly description?: string;
  readonly parameters?: unknown;
  readonly inputSchema?: unknown;
};

/** A tool set, checked and ready to be bound and called. */
export interface Toolbox {
  readonly bindings: readonly ToolBinding[];
  /** Tools that are plain values, bound unchanged. */
  readonly values: Readonly<Record<string, ReplValue>>;
  call(name: string, args: Readonly<Record<string, JsonValue>>, options: ToolCallOptions): Promise<JsonValue>;
}

/** The second argument of a tool: the AI SDK's options, and fields for tools that act on the world (docs/tools.md). */
export interface ToolCallOptions {
  /** Unique everywhere and for ever. A call that is repeated after an interruption has the same one. */
  readonly toolCallId: string;
  /** True when the call had begun before an interruption: the tool may have acted already. */
  readonly repeated: boolean;
  /** Aborted when the call is over: at `toolTimeoutMs`, or at the end of its cell or run. */
  readonly abortSignal: AbortSignal;
  /** Empty; the AI SDK's tools require the field. */
  readonly messages: readonly never[];
}

/** An error of a tool, raised in the cell with this type and message. */
export class ToolError extends Error {
  constructor(type: string, message: string) {
    super(message);
    this.name = type;
  }
}

interface Callable {
  readonly binding: ToolBinding;
  readonly validate: ((args: unknown) => Promise<unknown>) | undefined;
  readonly run: (args: unknown, options: ToolCallOptions) => unknown;
}

/** @throws RlmError `invalid-tool-name`, `reserved-name`, `invalid-option` */
export function createToolbox(tools: ToolSet = {}): Toolbox {
  if (!isObject(tools))
    throw invalidOption(`Tools are an object of functions and values by name; this is ${kindOf(tools)}`);
  const callables = new Map<string, Callable>();
  const values: Record<string, ReplValue> = {};
  checkToolNames(Object.keys(tools));
  for (const [name, tool] of Object.entries(tools)) {
    const callable = asCallable(name, tool);
    if (callable === undefined) values[name] = { kind: 'json', json: asJson(name, tool) };
    else callables.set(name, callable);
  }
  return {
    bindings: [...callables.values()].map((callable) => callable.binding),
    values,
    call: (name, args, options) => callTool(callables.get(name), { name, args, options }),
  };
}

async function callTool(
  callable: Callable | undefined,
  { name, args, options }: { name: string; args: Readonly<Record<string, JsonValue>>; options: ToolCallOptions },
): Promise<JsonValue> {
  if (callable === undefined) throw new ToolError('NameError', `there is no tool ${name}`);
  const input = callable.validate === undefined ? args : await callable.validate(args);
  const result = await callable.run(input, options);
  if (result === undefined) return null;
  const json = JSON.stringify(result, (_, part: unknown) => {
    if (typeof part !== 'bigint') return part;
    throw new ToolError('TypeError', `the tool ${name} returned a bigint, which is not JSON: return it as a string`);
  });
  if (json === undefined)
    throw new ToolError('TypeError', `the tool ${name} returned a ${typeof result}, which is not JSON`);
  return JSON.parse(json) as JsonValue;
}

function asCallable(name: string, tool: ToolSet[string]): Callable | undefined {
  if (typeof tool === 'function') {
    return described(name, tool);
  }
  if (typeof tool !== 'object' || tool === null || !('execute' in tool)) return undefined;
  const { description, inputSchema, execute } = tool as HostTool;
  if (typeof execute !== 'function') {
    throw new RlmError({
      code: 'invalid-option',
      message: `The tool ${name} has no execute function: Fathom calls tools itself, so give it one.`,
      userAction: true,
      data: { tool: name },
    });
  }
  const run = (args: unknown, options: ToolCallOptions): unknown => execute(args, options);
  return {
    binding: {
      name,
      description: typeof description === 'string' ? description : 'no description',
      parameters: propertiesOf(jsonSchemaOf(inputSchema)),
    },
    validate: validatorOf(name, inputSchema),
    run,
  };
}

function described(name: string, tool: DescribedFunction): Callable {
  const { description = 'no description', parameters, inputSchema: given = parameters } = tool;
  // A bare JSON Schema, as in tool definitions of a model's API.
  const isPlain = isObject(given) && !isStandardSchema(given) && !('jsonSchema' in given);
  const inputSchema = isPlain ? { jsonSchema: given } : given;
  const names = Array.isArray(inputSchema) ? inputSchema.map(String) : undefined;
  const wrong = names?.find((parameter) => !isVariableName(parameter));
  if (wrong !== undefined || (inputSchema !== undefined && names === undefined && !isSchemaLike(inputSchema))) {
    throw invalidOption(
      `The parameters of the tool ${name} have to be names, such as ['id', 'limit'], or a schema; this is ${kindOf(wrong ?? inputSchema)}`,
    );
  }
  return {
    binding: { name, description, parameters: names ?? propertiesOf(jsonSchemaOf(inputSchema)) },
    validate: names === undefined ? validatorOf(name, inputSchema) : undefined,
    run: (args, options) => tool(args, options),
  };
}

function isSchemaLike(value: unknown): boolean {
  return isObject(value) || typeof value === 'function';
}

type AiSdkSchema = {
  readonly validate?: (value: unknown) => unknown;
};

/** Checks arguments by a Standard Schema or by an AI SDK schema's own `validate`. */
function validatorOf(name: string, schema: unknown): ((args: unknown) => Promise<unknown>) | undefined {
  if (isStandardSchema(schema)) {
    return async (args) => {
      const result = await schema['~standard'].validate(args);
      if (result.issues === undefined) return result.value;
      const issues = result.issues.map((issue) => `${(issue.path ?? []).map(String).join('.')}: ${issue.message}`);
      throw new ToolError('TypeError', `${name}() got wrong arguments: ${issues.join('; ')}`);
    };
  }
  if (typeof schema === 'function') return validatorOf(name, (schema as () => unknown)());
  if (typeof schema !== 'object' || schema === null) return undefined;
  const { validate } = schema as AiSdkSchema;
  if (typeof validate !== 'function') return validatorOfJsonSchema(name, schema);
  return async (args) => {
    const result = (await validate(args)) as { success: boolean; value?: unknown; error?: unknown };
    if (result.success) return result.value;
    throw new ToolError('TypeError', `${name}() got wrong arguments: ${String(result.error)}`);
  };
}

/** Refuses all invalid names at once, so that the caller can correct them in one go. */
function checkToolNames(names: readonly string[]): void {
  const invalid = names.filter((name) => !isVariableName(name));
  const reserved = names.filter((name) => isVariableName(name) && isReservedName(name));
  const builtins = names.filter(isPythonBuiltin);
  const problems = [invalidNames(invalid), reservedNames(reserved), builtinNames(builtins)].filter(
    (problem) => problem !== undefined,
  );
  if (problems.length === 0) return;
  const wrong = [...invalid, ...reserved, ...builtins];
  throw new RlmError({
    code: invalid.length > 0 ? 'invalid-tool-name' : 'reserved-name',
    message: problems.join(' '),
    userAction: true,
    data: { tool: wrong[0], tools: wrong },
  });
}

function invalidNames(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const quoted = names.map((name) => JSON.stringify(name)).join(', ');
  const subject = names.length === 1 ? `${quoted} cannot be a tool's name` : `${quoted} cannot be names of tools`;
  return `${subject}: cells call a tool as a Python function, so use ASCII letters, digits and _, and no Python keyword.`;
}

function reservedNames(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const listed = names.join(', ');
  return names.length === 1
    ? `A tool cannot be named ${listed}: the REPL binds that name itself. Give the tool another name.`
    : `Tools cannot be named ${listed}: the REPL binds these names itself. Give the tools other names.`;
}

function builtinNames(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  return `${names.join(', ')}: Python has ${names.length === 1 ? 'a function of this name' : 'functions of these names'}, and cells would lose ${names.length === 1 ? 'it' : 'them'}. Give the tool another name, such as ${names[0]}_data.`;
}

function asJson(name: string, value: unknown): string {
  return jsonText(value, (what) =>
    invalidOption(`The tool ${name} cannot be used: ${what}. Give a function, an AI SDK tool, or a JSON value`),
  );
}

/** A schema that describes arguments without validating them, as tools of MCP servers have. */
function validatorOfJsonSchema(name: string, schema: object): ((args: unknown) => Promise<unknown>) | undefined {
  const json = jsonSchemaOf(schema);
  return json === undefined ? undefined : validatorOf(name, validatingSchema(json, `input schema of the tool ${name}`));
}
