/** Clients of one server see their own runs and handles only. */
import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport } from '@modelcontextprotocol/server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRlm } from '../../src/index.ts';
import { ClientRuns } from '../../src/mcp/client-runs.ts';
import { mcpConfig } from '../../src/mcp/mcp-options.ts';
import { createProtocolServer } from '../../src/mcp/mcp-server.ts';
import { memoryStore } from '../../src/store/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { call } from './harness.ts';

describe('two clients of one server', () => {
  it('see neither runs nor handles of each other', async () => {
    const store = memoryStore();
    const model = scriptedModel(() => '```repl\nFINAL("mine")\n```');
    const rlm = createRlm({ repl: 'python', model, store });
    onTestFinished(() => rlm.close());
    const config = await mcpConfig({ rlm, store });
    const runs = new ClientRuns(config);
    const connect = async (name: string): Promise<Client> => {
      const [near, far] = InMemoryTransport.createLinkedPair();
      await createProtocolServer({ config, runs }, name).connect(far);
      const client = new Client({ name, version: '1' });
      await client.connect(near as never);
      return client;
    };
    const [one, two] = [await connect('one'), await connect('two')];
    const question = { question: 'q', text: 'x' };
    const { run_id } = (await call(one, 'ask', question)).data;
    const { handle } = (await call(one, 'load', { text: 'x' })).data;
    expect((await call(two, 'result', { run_id })).error.data.code).toBe('run-not-found');
    expect((await call(two, 'exec', { handle, code: '1' })).error.data.code).toBe('session-not-found');
    expect((await call(two, 'status')).data.runs).toEqual([]);
    expect((await call(two, 'ask', question)).data.run_id).not.toBe(run_id);
    // The control: the client itself sees both.
    expect((await call(one, 'result', { run_id })).data.answer).toBe('mine');
    expect((await call(one, 'exec', { handle, code: '1' })).data.ok).toBe(true);
    expect((await call(one, 'ask', { ...question, text: undefined, paths: ['a'] })).error.data).toMatchObject({
      code: 'context-invalid',
      param: 'paths',
    });
  });
});
