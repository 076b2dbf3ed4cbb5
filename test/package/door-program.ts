/**
 * A program over the entries of the doors, on one `Rlm`: tarball.test.ts types and runs it in an empty project. The oldest
 * supported Node runs it as it is, and cannot parse `await using`.
 */
export const DOOR_PROGRAM = `
import { createRlm, memoryStore } from 'fathom-rlm';
import { languageModel, requestFromMessages, rlmTool } from 'fathom-rlm/ai-sdk';
import { serveMcpOverHttp } from 'fathom-rlm/mcp';
import { startServer } from 'fathom-rlm/server';
import { scriptedModel } from 'fathom-rlm/test';

const store = memoryStore();
const rlm = createRlm({ model: scriptedModel(() => 'FINAL("yes")'), store, requireInspection: false });
const model = languageModel(rlm, { toRequest: (messages) => requestFromMessages(messages) });
const { content } = await model.doGenerate({ prompt: [{ role: 'user', content: [{ type: 'text', text: 'Is it?' }] }] });
console.log(content.at(-1), rlmTool(rlm).description?.length);
const server = await startServer({ rlm, store, models: { mine: { mode: 'always' } } });
const mcp = await serveMcpOverHttp({ rlm, store, mode: 'auto' });
const post = async (url: string, body: object): Promise<string> => {
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  return await (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).text();
};
console.log(await post(server.url + '/v1/chat/completions', { model: 'mine', messages: [{ role: 'user', content: 'Is it?' }] }));
console.log(await post(mcp.url, { jsonrpc: '2.0', id: 1, method: 'tools/list' }));
for (const open of [mcp, server, rlm]) await open.close();
`;
