/** Floods, malformed messages, and errors that say nothing. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { ERROR_TABLE } from '../../src/error-table.ts';
import type { Rlm } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { call, connectPair, type Pair, type PairOptions } from './harness.ts';

async function pairOf(options: Partial<PairOptions> = {}): Promise<Pair> {
  const model = scriptedModel(() => ({ text: '```repl\nFINAL("done")\n```' }));
  const pair = await connectPair({ rlm: { model }, ...options });
  onTestFinished(() => pair[Symbol.asyncDispose]());
  return pair;
}

/** Bytes of heap that a thousand calls at once may take: 128 KiB for each. */
const HEAP_BYTES = 128 * 1024 * 1024;

describe('a thousand calls at once', { timeout: 120_000 }, () => {
  const thousand = async (one: (index: number) => Promise<unknown>): Promise<number> => {
    const before = process.memoryUsage().heapUsed;
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => one(index)));
    return process.memoryUsage().heapUsed - before;
  };

  it('with different questions are answered up to maxRuns, and refused beyond it', async () => {
    const model = scriptedModel(() => ({ text: '```repl\nFINAL("done")\n```', latencyMs: 500 }));
    const { client } = await pairOf({ rlm: { model } });
    const counts = { answered: 0, refused: 0 };
    const grown = await thousand(async (index) => {
      const { data, error } = await call(client, 'ask', { question: `q ${index}`, text: 'x' }, { timeout: 100_000 });
      if (data.answer === 'done') counts.answered += 1;
      else {
        expect(error).toMatchObject({
          code: ERROR_TABLE.overloaded.rpc,
          data: { code: 'overloaded', limit: 'maxRuns', retryable: true, retryAfterMs: 1_000 },
        });
        counts.refused += 1;
      }
    });
    expect(counts).toEqual({ answered: 64, refused: 936 });
    expect(grown).toBeLessThan(HEAP_BYTES);
    expect((await call(client, 'ask', { question: 'and now?', text: 'x' })).data.answer).toBe('done');
  });

  it('with one question share one run', async () => {
    const { client } = await pairOf();
    const ids = new Set<unknown>();
    const grown = await thousand(async () => {
      ids.add((await call(client, 'ask', { question: 'q', text: 'x' }, { timeout: 100_000 })).data.run_id);
    });
    expect(ids.size).toBe(1);
    expect(grown).toBeLessThan(HEAP_BYTES);
  });

  it('of status are all answered', async () => {
    const { client } = await pairOf();
    const grown = await thousand(async () => {
      expect((await call(client, 'status')).data).toMatchObject({ runs: [], server: { runs: 0 } });
    });
    expect(grown).toBeLessThan(HEAP_BYTES);
  });
});

describe('malformed messages', () => {
  it.each([
    ['a line of text', 'this is not JSON'],
    ['an array', '[1, 2, 3]'],
    ['another object', '{"hello": "world"}'],
    ['a foreign version', '{"jsonrpc": "1.0", "id": 1, "method": "tools/list"}'],
    ['a broken character', '{"jsonrpc": "2.0", "id": 2, "method": "tools/\ud800"}'],
    ['an answer that nothing asked for', '{"jsonrpc": "2.0", "id": 99, "result": {}}'],
    [
      'a cancel of a request that does not exist',
      '{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 12345}}',
    ],
    [
      'arguments in a number',
      '{"jsonrpc": "2.0", "id": "x1", "method": "tools/call", "params": {"name": "ask", "arguments": 5}}',
    ],
    [
      'a deep object',
      `{"jsonrpc": "2.0", "id": "x2", "method": "tools/call", "params": {"name": "ask", "arguments": ${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}}`,
    ],
  ])('%s: the next request is answered', async (_, line) => {
    const { client, raw } = await pairOf();
    raw.write(`${line}\n`);
    expect((await client.listTools()).tools).toHaveLength(10);
  });

  it('an unknown method is an error of the protocol', async () => {
    const { client } = await pairOf();
    const listing = client.request({ method: 'resources/list' }, undefined as never);
    await expect(listing).rejects.toThrow();
  });

  it('a message above messageBytes ends the connection', async () => {
    const { server, raw } = await pairOf({ limits: { messageBytes: 100_000 } });
    raw.write('x'.repeat(200_000));
    await server.closed;
  });
});

describe('an error', () => {
  it('that is not one of Fathom says nothing to the client', async () => {
    const wrap = (rlm: Rlm): Rlm => ({
      ...rlm,
      status: () => {
        throw new TypeError('/home/me/secret');
      },
    });
    const { client, errors } = await pairOf({ wrap });
    const asked = await call(client, 'status');
    expect(asked).toMatchObject({ isError: true, error: { code: -32_603 } });
    expect(asked.text).not.toContain('secret');
    expect(errors).toEqual([expect.any(TypeError)]);
  });
});
