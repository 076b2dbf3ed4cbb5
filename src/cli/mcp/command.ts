import type { Command } from 'commander';
import { DEFAULT_MCP_PORT } from '../../mcp/limits.ts';
import { addEngineOptions } from '../options/ask-options.ts';
import { addKeepOptions } from '../options/store.ts';
import { count } from '../options/values.ts';
import type { Surroundings } from '../runs/commands.ts';
import { reported } from '../screen/error-report.ts';
import type { McpOptions } from './mcp.ts';

/** Adds `fathom mcp`. The server is loaded on demand. */
export function addMcpCommand(fathom: Command, { console, end }: Surroundings): void {
  const command = fathom
    .command('mcp')
    .description('serve MCP clients, such as coding agents, over standard input and output or HTTP; see docs/mcp.md')
    .option('--root <dir...>', 'folders below which it may read (default: the working directory; with --http: none)');
  addKeepOptions(addEngineOptions(command))
    .option('--http', 'serve any number of clients over HTTP')
    .option(
      '--host <address>',
      'with --http: address to listen on; another than loopback needs a key (default: 127.0.0.1)',
    )
    .option('--port <n>', `with --http: port to listen on; 0: any free one (default: ${DEFAULT_MCP_PORT})`, count)
    .option(
      '--keys <file>',
      'with --http: JSON object of bearer keys by name, readable by you alone (default: FATHOM_SERVER_KEY)',
    )
    .option('--allow-host <name...>', 'with --http: further names in the Host header')
    .option('--allow-origin <origin...>', 'with --http: origins of web pages that may use the server')
    .action(async (options: McpOptions) => {
      const { serveMcp } = await import('./mcp.ts');
      end(await reported({}, console, () => serveMcp(options, console)));
    });
}
