/**
 * The MCP door over pipes and over HTTP: a call beside the same completion by the library alone, with the official client in the
 * same process. The model is in the process as well and answers at once.
 *
 * Run: `node bench/mcp.bench.ts`
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createRlm } from '../src/index.ts';
import { serveMcpOverHttp } from '../src/mcp/index.ts';
import { memoryStore } from '../src/store/index.ts';
import { scriptedModel } from '../src/test.ts';
import { call, connectTo } from '../test/mcp/harness.ts';
import { type DoorWay, reportDoor } from './support/door-overhead.ts';

/** Milliseconds of processor time of client and server together. */
const BARS = { pipes: { ask: 4, status: 2 }, http: { ask: 8, status: 8 } } as const;
const TEXT = 'x'.repeat(20_000);

const store = memoryStore();
await using rlm = createRlm({ model: scriptedModel(() => '```python\nFINAL(len(context))\n```'), store });
await using pair = await connectTo({ rlm, store });
await using server = await serveMcpOverHttp({ rlm, store });
const overHttp = new Client({ name: 'bench', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
await overHttp.connect(new StreamableHTTPClientTransport(new URL(server.url)));

let asked = 0;

function waysOf(
  client: Client,
  how: string,
  bars: { readonly ask: number; readonly status: number },
): Record<string, DoorWay> {
  const ask = async (): Promise<void> => {
    asked += 1;
    const { data, text } = await call(client, 'ask', { question: `How long? ${asked}`, text: TEXT });
    if (data.answer !== '20000') throw new Error(text);
  };
  return {
    [`ask over ${how}`]: { ask, bar: bars.ask },
    [`status over ${how}`]: { ask: () => call(client, 'status'), bar: bars.status, alone: true },
  };
}

await reportDoor(() => rlm.completion({ query: 'How long?', context: TEXT }), {
  ...waysOf(pair.client, 'pipes', BARS.pipes),
  ...waysOf(overHttp, 'HTTP', BARS.http),
});
await overHttp.close();
