import { isStandardSchema } from '../argument-checks.ts';

/** A JSON Schema as an object. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema of a Standard Schema (through the Standard JSON Schema interface), of an AI SDK schema (`jsonSchema`),
 * or `undefined` where the library offers none.
 */
export function jsonSchemaOf(schema: unknown): JsonSchema | undefined {
  if (isStandardSchema(schema)) return fromStandard(schema['~standard']);
  if (typeof schema === 'function') return jsonSchemaOf((schema as () => unknown)());
  if (typeof schema !== 'object' || schema === null) return undefined;
  const own = (schema as { readonly jsonSchema?: unknown }).jsonSchema;
  return typeof own === 'object' && own !== null ? (own as JsonSchema) : undefined;
}

function fromStandard(standard: unknown): JsonSchema | undefined {
  const { jsonSchema } = standard as { readonly jsonSchema?: { input(options: { target: string }): JsonSchema } };
  try {
    return jsonSchema?.input({ target: 'draft-2020-12' });
  } catch {
    return undefined; // Parts that JSON Schema cannot express (transforms, dates) still validate.
  }
}

/** Property names of an object schema, in its order. */
export function propertiesOf(schema: JsonSchema | undefined): readonly string[] {
  const properties = schema?.properties;
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
}
