/** A policy holds on workers: the process that asked checks each command. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Cluster, type ClusterWorker, connectCluster, startWorker } from '../../src/cluster/index.ts';
import type { CheckedCommand, CommandPolicy, PolicyDecision } from '../../src/engine/command-policy.ts';
import { createRlm } from '../../src/index.ts';
import { isOfChild } from '../resume/kill-script.ts';
import { NO_REDIS } from '../servers/redis-server.ts';
import { useServers } from './use-servers.ts';

if (NO_REDIS !== undefined) console.warn(`The tests of policies on workers are skipped: ${NO_REDIS}`);

describe.skipIf(NO_REDIS !== undefined)('children on a worker, of a run with a policy', () => {
  const servers = useServers();
  let cluster: Cluster;
  let worker: ClusterWorker;
  let queue = 0;
  beforeEach(async () => {
    const options = { redis: servers.redis.url, queue: `policy-${++queue}` };
    cluster = await connectCluster(options);
    worker = await startWorker({ ...options, concurrency: 1 });
  });
  afterEach(async () => {
    await worker.close({ now: true });
    await cluster.close();
  });

  async function ask(policy: CommandPolicy): Promise<unknown> {
    await using rlm = createRlm({ model: 'openai/gpt-5', limits: { maxDepth: 2 }, cluster, policy });
    return (await rlm.completion({ query: 'ROOT', context: 'a context' })).answer;
  }

  const child = 'import socket\nFINAL("ran")';
  /** The child's next turn gives what the model read. */
  function respondUnder(root: string): string[] {
    const read: string[] = [];
    servers.mock.respondWith(({ system, messages }) => {
      if (!system.includes('You answer a query')) return { text: 'flat' };
      const isChild = isOfChild(messages);
      if (!isChild) return { text: `\`\`\`repl\n${root}\n\`\`\`` };
      const last = messages.at(-1)?.content ?? '';
      if (!last.includes('Not run'))
        return { text: `\`\`\`repl\nprint(context)\n\`\`\`\n\`\`\`repl\n${child}\n\`\`\`` };
      read.push(last);
      return { text: '```repl\nFINAL("refused")\n```' };
    });
    return read;
  }
  const ROOT = `FINAL(rlm_query('CHILD', 'c'))`;
  const seen: CheckedCommand[] = [];
  const check = (command: CheckedCommand): PolicyDecision => {
    seen.push(command);
    if (!command.source.includes('socket')) return { decision: 'allow' };
    return { decision: 'ask', rule: 'network', message: 'no sockets' };
  };

  it('are checked by its process, which their worker asks', async () => {
    const read = respondUnder(ROOT);
    const refusals: unknown[] = [];
    const policy: CommandPolicy = {
      check,
      async ask(refusal) {
        refusals.push(refusal);
        return false;
      },
    };
    expect(await ask(policy)).toBe('refused');
    expect(seen.map(({ source }) => source)).toContain(child);
    expect(refusals).toMatchObject([{ rule: 'network', source: child, runId: expect.any(String) }]);
    expect(read[0]).toContain('the policy refused it. No sockets');
  });

  it('run what a person allows', async () => {
    respondUnder(ROOT);
    expect(await ask({ check, ask: async () => true })).toBe('ran');
  });

  it('run nothing where the policy fails', async () => {
    const read = respondUnder(ROOT);
    const policy: CommandPolicy = {
      check(command) {
        if (command.source.includes('socket')) throw new Error('the rules are broken');
        return { decision: 'allow' };
      },
    };
    expect(await ask(policy)).toBe('refused');
    expect(read[0]).toContain('the rules are broken');
  });
});
