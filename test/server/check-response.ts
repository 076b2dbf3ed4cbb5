import { type Schema, Validator } from '@cfworker/json-schema';
import { openApiDocument } from '../../src/server/openapi/document.ts';

type Json = Readonly<Record<string, unknown>>;

const document = openApiDocument();
const paths = Object.entries(document.paths as Readonly<Record<string, Json>>).map(([path, operations]) => ({
  pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  operations,
}));

/** The schema of the document for a name. */
export function schemaNamed(name: string): Validator {
  return new Validator(
    { $ref: `#/components/schemas/${name}`, components: document.components } as Schema,
    '2020-12',
    false,
  );
}

/** Fails where a JSON response is not as the OpenAPI document says. Routes that it does not have are refusals. */
export function checkResponse(
  method: string,
  url: string,
  { status, json }: { readonly status: number; readonly json: Json },
): void {
  const { pathname } = new URL(url);
  const operation = paths.find(({ pattern }) => pattern.test(pathname))?.operations[method.toLowerCase()] as
    | Json
    | undefined;
  const responses = (operation?.responses ?? {}) as Readonly<Record<string, Json>>;
  const response = responses[String(status)];
  const name = response === undefined || status >= 400 ? 'Error' : schemaOf(response);
  // The status of a server that stops is also an error.
  if (name === undefined || pathname === '/healthz') return;
  const { valid, errors } = schemaNamed(name).validate(json);
  if (valid) return;
  const why = errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`).join('\n');
  throw new Error(`${method} ${pathname} ${status} is not a valid ${name}:\n${why}\n${JSON.stringify(json)}`);
}

function schemaOf({ content }: Json): string | undefined {
  const json = (content as Readonly<Record<string, { readonly schema?: { readonly $ref: string } }>>)[
    'application/json'
  ];
  return json?.schema?.$ref.split('/').at(-1);
}
