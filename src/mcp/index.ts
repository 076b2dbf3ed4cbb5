/**
 * Fathom as an MCP server: `fathom-rlm/mcp`.
 *
 * @module
 */
export { HTTP_LIMITS, type HttpLimits } from '../server/limits.ts';
export type { ListenOptions } from '../server/listen-options.ts';
export { MCP_LIMITS, type McpLimits } from './limits.ts';
export type { McpOptions } from './mcp-options.ts';
export { type McpHttpOptions, type McpHttpServer, serveMcpOverHttp } from './serve-http.ts';
export { type StdioServer, type StdioStreams, serveMcpOverStdio } from './serve-stdio.ts';
