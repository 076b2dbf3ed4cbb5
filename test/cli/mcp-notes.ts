/** A small MCP server over standard input and output, for tests: its notes are resources. */
import { McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';

const server = new McpServer({ name: 'notes', version: '1' });
const notes = {
  a: 'alpha',
  b: `token ${process.env.NOTES_TOKEN ?? 'unset'}, other ${process.env.OTHER_SECRET ?? 'unset'}`,
};
for (const [name, text] of Object.entries(notes)) {
  const uri = `notes://${name}.md`;
  const mimeType = 'text/markdown';
  server.registerResource(name, uri, { mimeType }, () => Promise.resolve({ contents: [{ uri, mimeType, text }] }));
}
await server.connect(new StdioServerTransport());
