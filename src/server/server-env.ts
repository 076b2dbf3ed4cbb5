import type { HttpBindings } from '@hono/node-server';
import type { Client } from './access.ts';

/** The context of every handler. */
export interface ServerEnv {
  readonly Bindings: HttpBindings;
  readonly Variables: { client: Client };
}
