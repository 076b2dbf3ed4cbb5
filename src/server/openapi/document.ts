import { requireFrom } from '../../package-files.ts';
import type { JsonBody } from '../body.ts';
import { PAGE_ROUTES, PAGE_SCHEMAS } from './page-document.ts';
import { REQUEST_SCHEMAS } from './request-schemas.ts';
import { RESPONSE_SCHEMAS } from './response-schemas.ts';
import type { Route } from './route.ts';

const SESSION = '/v1/sessions/{id}';

/** Every route of the server. */
const ROUTES: readonly Route[] = [
  ...PAGE_ROUTES,
  { method: 'get', path: '/healthz', summary: 'Whether the server takes requests', answer: 'Health', open: true },
  { method: 'get', path: '/openapi.json', summary: 'This document', answer: 'application/json', open: true },
  {
    method: 'get',
    path: '/metrics',
    summary: 'Metrics for Prometheus; behind the keys unless the server is on loopback',
    answer: 'text/plain',
  },
  { method: 'get', path: '/v1/models', summary: 'The models that requests may name', answer: 'ModelList' },
  { method: 'get', path: '/v1/models/{id}', summary: 'One model', answer: 'Model' },
  {
    method: 'post',
    path: '/v1/chat/completions',
    summary: 'Ask in the form of chat; the run ends with the connection',
    body: 'ChatCompletionRequest',
    answer: 'ChatCompletion',
    stream: true,
  },
  {
    method: 'post',
    path: '/v1/responses',
    summary: 'Ask in the form of responses; with background the run belongs to the server',
    body: 'ResponseRequest',
    answer: 'Response',
    stream: true,
  },
  { method: 'get', path: '/v1/responses/{id}', summary: 'A response, from the record of its run', answer: 'Response' },
  { method: 'post', path: '/v1/responses/{id}/cancel', summary: 'Cancel the run of a response', answer: 'Response' },
  { method: 'get', path: '/v1/status', summary: 'How full the server is', answer: 'Status' },
  {
    method: 'post',
    path: '/v1/runs',
    summary: 'Start a run that belongs to the server',
    body: 'RunRequest',
    status: 202,
    answer: 'Run',
  },
  {
    method: 'get',
    path: '/v1/runs',
    summary: 'The runs of the key, newest first; `status` selects',
    answer: 'RunList',
  },
  { method: 'get', path: '/v1/runs/{id}', summary: 'A run', answer: 'Run' },
  {
    method: 'get',
    path: '/v1/runs/{id}/events',
    summary: 'Its events; Last-Event-ID continues',
    answer: 'text/event-stream',
  },
  { method: 'post', path: '/v1/runs/{id}/cancel', summary: 'End a run for good', body: 'ReasonRequest', answer: 'Run' },
  {
    method: 'post',
    path: '/v1/runs/{id}/finish',
    summary: 'Ask a run for its best answer now',
    body: 'ReasonRequest',
    answer: 'Run',
  },
  {
    method: 'post',
    path: '/v1/runs/{id}/resume',
    summary: 'Continue a run that was interrupted or paused',
    body: 'ReasonRequest',
    answer: 'Run',
  },
  {
    method: 'post',
    path: '/v1/sessions',
    summary: 'Open a session',
    body: 'SessionRequest',
    status: 201,
    answer: 'Session',
  },
  { method: 'get', path: '/v1/sessions', summary: 'The sessions of the key, newest first', answer: 'SessionList' },
  { method: 'get', path: SESSION, summary: 'A session', answer: 'Session' },
  { method: 'delete', path: SESSION, summary: 'End a session for good', answer: 'Session' },
  { method: 'post', path: `${SESSION}/extend`, summary: 'Add to its time', answer: 'Session' },
  {
    method: 'post',
    path: `${SESSION}/runs`,
    summary: 'Ask a question on its REPL',
    body: 'SessionQuestion',
    status: 202,
    answer: 'Run',
  },
  { method: 'post', path: `${SESSION}/execute`, summary: 'Run Python', body: 'ExecuteRequest', answer: 'CellResult' },
  { method: 'post', path: `${SESSION}/bash`, summary: 'Run bash', body: 'BashRequest', answer: 'BashResult' },
  { method: 'get', path: `${SESSION}/variables`, summary: 'Its variables', answer: 'VariableList' },
  { method: 'get', path: `${SESSION}/variables/{name}`, summary: 'The value of a variable', answer: 'Variable' },
  {
    method: 'put',
    path: `${SESSION}/variables/{name}`,
    summary: 'Set a variable',
    body: 'VariableRequest',
    answer: 'Variable',
  },
  { method: 'get', path: `${SESSION}/snapshots`, summary: 'Its snapshots', answer: 'SnapshotList' },
  {
    method: 'post',
    path: `${SESSION}/snapshots`,
    summary: 'Take a snapshot',
    body: 'SnapshotRequest',
    status: 201,
    answer: 'Snapshot',
  },
  { method: 'delete', path: `${SESSION}/snapshots/{name}`, summary: 'Delete a snapshot', answer: 'Session' },
  {
    method: 'post',
    path: `${SESSION}/rollback`,
    summary: 'Go back to a snapshot',
    body: 'SnapshotRequest',
    answer: 'Session',
  },
];

/** The methods that the routes of a path take. */
export function methodsOf(path: string): readonly string[] {
  const routes = ROUTES.filter((route) => patternOf(route.path).test(path));
  return routes.map(({ method }) => method.toUpperCase());
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}

/** The OpenAPI 3.1 document of the server. */
export function openApiDocument(): JsonBody {
  const { version } = requireFrom()('fathom-rlm/package.json') as { readonly version: string };
  const paths = Map.groupBy(ROUTES, ({ path }) => path);
  const operations = [...paths].map(([path, routes]) => [path, operationsOf(routes)] as const);
  return {
    openapi: '3.1.0',
    info: { title: 'Fathom', version, description: 'See docs/server.md.' },
    paths: Object.fromEntries(operations),
    components: {
      schemas: { ...REQUEST_SCHEMAS, ...RESPONSE_SCHEMAS, ...PAGE_SCHEMAS },
      securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
    },
    security: [{ key: [] }],
  };
}

function operationsOf(routes: readonly Route[]): JsonBody {
  return Object.fromEntries(routes.map((route) => [route.method, operation(route)]));
}

function operation({ path, summary, body, status = 200, answer, stream, open, query = [] }: Route): JsonBody {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    ...{ name, in: 'path', required: true, schema: { type: 'string' } },
  }));
  const inQuery = query.map((name) => ({ name, in: 'query', schema: { type: 'string' } }));
  const parameters = [...inPath, ...inQuery];
  const content = { ...contentOf(answer), ...(stream && { 'text/event-stream': {} }) };
  return {
    summary,
    ...(open && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: { required: body !== 'ReasonRequest', content: contentOf(body) } }),
    responses: {
      [status]: { description: 'Done', content },
      default: { description: 'Refused or failed; docs/errors.md lists the codes', content: contentOf('Error') },
    },
  };
}

/** Of a schema, or of a media type. */
function contentOf(name: string): JsonBody {
  return name.includes('/')
    ? { [name]: {} }
    : { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } };
}
