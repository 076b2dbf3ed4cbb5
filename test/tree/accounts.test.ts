import { beforeAll, describe, expect, it } from 'vitest';
import { CompletionError, type CompletionResult, type RunEvent } from '../../src/index.ts';
import type { MockReply, MockRequest } from '../mock-provider/index.ts';
import {
  cell,
  chance,
  checkEvents,
  closedAt,
  expectOneAccount,
  firstUser,
  grow,
  isRootCall,
  modelsPerDepth,
  nested,
  providerOf,
  rounds,
  type TreeProvider,
  turnOf,
} from './harness.ts';

const LIMITS = { maxDepth: 3, maxTokens: 5_000_000, maxConcurrentCalls: 12 };
/** No reservation of a sub-call is smaller: its worst-case output. */
const LEAST_RESERVATION = 8_192;

/** Faults a retry overcomes, with no long wait before it. */
const PASSING: readonly MockReply[] = [
  { fault: 'status', status: 429, headers: { 'retry-after-ms': '5' } },
  { fault: 'status', status: 500, headers: { 'retry-after-ms': '5' } },
  { fault: 'reset-before-headers' },
  { fault: 'truncated', after: 'half an ans' },
  { fault: 'error-event', after: 'half', error: { message: 'overloaded', type: 'overloaded_error' } },
  { fault: 'empty' },
];
const FATAL: readonly MockReply[] = [
  { fault: 'status', status: 400, error: { message: 'unsupported parameter' } },
  { fault: 'status', status: 400, error: { message: 'too long', code: 'context_length_exceeded' } },
];

/** Cells of a tree of three levels; each of them makes calls that end well, fail, are given up, or outlive their cell. */
const CELLS: Record<number, string> = {
  0: cell(
    'import asyncio',
    'rs = rlm_query_batched([(f"node r/{i}", "part " * 10) for i in range(3)])',
    'try: await asyncio.wait_for(arlm_query("node hang/child", "x"), 0.2)',
    'except (asyncio.TimeoutError, LLMError): pass',
    'flat = llm_query_batched([f"flat {ROUND} r {i}" for i in range(6)])',
  ),
  1: cell(
    'import asyncio',
    'me = QUERY',
    'flat = llm_query_batched([f"flat {me} {i}" for i in range(4)])',
    'rs = rlm_query_batched([(f"{me}/{i}", "part") for i in range(2)])',
    'try: await asyncio.wait_for(allm_query(f"flat hang {me}"), 0.1)',
    'except (asyncio.TimeoutError, LLMError): pass',
    'left_behind = asyncio.ensure_future(allm_query(f"flat hang behind {me}"))',
    'for _ in range(5): await asyncio.sleep(0)',
    'raise ValueError("with a call in flight")',
  ),
  2: cell('flat = llm_query_batched([f"flat {QUERY} {i}" for i in range(5)])', 'print(sum(r.ok for r in flat))'),
};

/** Answers a tree's calls: what happens to which is a matter of its prompt, the round, and how often it was asked. */
function treeResponder(round: number): (request: MockRequest) => MockReply {
  const asked = new Map<string, number>();
  return (request) => {
    const usage = { inputTokens: 10 + chance(request.prompt, 500), outputTokens: 1 + chance(request.prompt, 70) };
    if (/node hang|flat hang/.test(isRootCall(request) ? firstUser(request) : request.prompt)) {
      return { fault: 'hang-before-headers' };
    }
    const key = `${request.model}|${isRootCall(request) ? `${firstUser(request)}${turnOf(request)}` : request.prompt}`;
    const attempt = (asked.get(key) ?? 0) + 1;
    asked.set(key, attempt);
    const lot = chance(`${round}|${key}|${attempt}`, 100);
    if (lot < 25) return PASSING[lot % PASSING.length] ?? 'no such fault';
    if (!isRootCall(request)) return lot < 35 ? (FATAL[lot % FATAL.length] ?? '') : { text: `ok ${lot}`, usage };
    const depth = Number(request.model.slice(1));
    const query = /node [\w/]+/.exec(firstUser(request))?.[0] ?? '';
    const code = (CELLS[depth] ?? '').replaceAll('QUERY', JSON.stringify(query)).replaceAll('ROUND', String(round));
    return { text: turnOf(request) === 1 ? code : `FINAL(done by ${query})`, usage };
  };
}

describe.each(Array.from({ length: rounds(2) }, (_, round) => round))(
  'a tree of depth 3 with failures, retries, timeouts and calls given up (round %i)',
  (round) => {
    let provider: TreeProvider;
    let result: CompletionResult;
    let events: readonly RunEvent[];

    beforeAll(async () => {
      provider = await providerOf(treeResponder(round));
      const grown = grow({ ...modelsPerDepth(provider, 3), limits: LIMITS });
      events = grown.events;
      result = await grown.run;
      await provider.close();
    });

    it('has one account: the provider’s, the events’ and the result’s', () => {
      expect(result.outcome).toBe('converged');
      expectOneAccount(provider, events, result.usage);
      expect(result.usage.possiblyBilled).toBeGreaterThan(0);
      expect(provider.inFlight).toBe(0);
    });

    it('has one terminal record per run, events without gaps, and an end for each sub-call', () => {
      expect(checkEvents(events)).toEqual([]);
      const started = events.filter(({ type }) => type === 'subcall.started').length;
      const ended = events.filter(({ type }) => type === 'subcall.completed').length;
      expect(ended).toBe(started);
    });

    it('releases every reservation: what is left is the limit without what was spent', () => {
      const { usage, subCalls, trajectory } = result;
      const [, calls, tokens] = /Left: (\d+) sub-calls, (\d+) tokens/.exec(trajectory.turns[0]?.feedback ?? '') ?? [];
      expect(Number(calls)).toBe(1_000 - subCalls);
      const missing = LIMITS.maxTokens - usage.inputTokens - usage.outputTokens - Number(tokens);
      // The room kept for the last call, less the turn that came after.
      expect(Math.abs(missing)).toBeLessThan(LEAST_RESERVATION);
    });

    it('has a trajectory nested as the calls were, with run id, parent run id and depth', () => {
      const { trajectory, runId } = result;
      const all = nested(trajectory);
      const byId = new Map(all.map((one) => [one.runId, one]));
      expect(byId.size).toBe(all.length);
      expect(trajectory).toMatchObject({ runId, depth: 0 });
      for (const one of all.slice(1)) {
        expect(one.depth).toBe((byId.get(one.parentRunId ?? '')?.depth ?? Number.NaN) + 1);
      }
      expect(new Set(all.map(({ depth }) => depth))).toEqual(new Set([0, 1, 2]));
      expect(new Set(events.map((event) => event.runId))).toEqual(new Set(byId.keys()));
      expect(new Set(events.map((event) => event.traceId))).toEqual(new Set([runId]));
    });
  },
);

describe('a tree that is cancelled', () => {
  it.each([
    ['with calls in flight at every level', 30],
    ['early', 6],
    ['late', 40],
  ])(
    '%s has the same account',
    async (_name, after) => {
      let answered = 0;
      let cancel = (): void => undefined;
      const tree = treeResponder(2);
      await using provider = await providerOf((request) => {
        answered += 1;
        if (answered === after) cancel();
        // Nothing is answered from here on.
        return answered >= after ? { fault: 'hang-before-headers' } : tree(request);
      });
      const { run, events } = grow({ ...modelsPerDepth(provider, 3), limits: LIMITS });
      // Waits until everything that the provider has sent was read: an answer on its way would be in one account only.
      let patience = 10_000;
      cancel = () => {
        const ended = events.filter((event) => event.type === 'usage.recorded').length;
        if (ended >= after - 1 || patience-- === 0) run.cancel('enough');
        else setImmediate(cancel);
      };
      const error: unknown = await run.then(
        () => undefined,
        (reason: unknown) => reason,
      );

      await closedAt(provider);
      expect(error).toBeInstanceOf(CompletionError);
      if (!(error instanceof CompletionError)) return;
      expect(error.result).toMatchObject({ outcome: 'aborted', stop: 'cancelled', reason: 'enough' });
      expectOneAccount(provider, events, error.result.usage);
      expect(checkEvents(events)).toEqual([]);
      expect(new Set(nested(error.result.trajectory).map(({ runId }) => runId))).toEqual(
        new Set(events.map(({ runId }) => runId)),
      );
    },
    60_000,
  );
});
