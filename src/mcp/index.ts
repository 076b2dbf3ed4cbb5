/**
 * Fathom as an MCP server: `fathom-rlm/mcp`.
 *
 * @module
 */
export { MCP_LIMITS, type McpLimits } from './limits.ts';
export type { McpOptions } from './mcp-options.ts';
export { type StdioServer, type StdioStreams, serveMcpOverStdio } from './serve-stdio.ts';
