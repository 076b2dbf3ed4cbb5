/**
 * `fathom-rlm/server`: an `Rlm` over HTTP, with the API of OpenAI and one of its own.
 *
 * @module
 */
export { SERVER_LIMITS, type ServerLimits } from './limits.ts';
export type { ServedModel, ServerOptions } from './server-options.ts';
export { type FathomServer, startServer } from './start-server.ts';
