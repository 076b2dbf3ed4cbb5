import type { RequestSchema } from './request-schemas.ts';

/** A route: its request, and its successful response. */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: string;
  readonly summary: string;
  readonly body?: RequestSchema;
  readonly status?: 200 | 201 | 202;
  /** A schema of responses, or a media type. */
  readonly answer: string;
  /** Also a stream of events. */
  readonly stream?: true;
  /** No key is needed. */
  readonly open?: true;
  /** Parameters of its query, all of them optional. */
  readonly query?: readonly string[];
}
