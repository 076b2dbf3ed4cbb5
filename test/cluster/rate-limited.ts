/**
 * Runs of several askers over several workers, against a provider with a limit of requests per second.
 *
 * @module
 */
import { type Cluster, connectCluster } from '../../src/cluster/index.ts';
import { createRlm } from '../../src/index.ts';
import {
  type MockCall,
  type MockProvider,
  type MockReply,
  type MockRequest,
  type RateLimit,
  startMockProvider,
} from '../mock-provider/index.ts';

/** Milliseconds of the search for a limit. */
const SEARCH_MS = 2_000;

export interface RateLoad {
  readonly limit: RateLimit;
  readonly askers: number;
  /** Of each asker. */
  readonly children: number;
  /** Flat calls of each child. */
  readonly calls: number;
}

export interface RateFigures {
  /** Of what the provider allowed between the first request and the last. */
  readonly used: number;
  /** Share of the requests that were refused. */
  readonly refused: number;
  /** The same without the first seconds, in which a limit that no header reports is found out. */
  readonly refusedLater: number;
  /** As `used`, in the middle half of the time: without the start of the REPLs and the end of the last children. */
  readonly usedInTheMiddle: number;
  /** Answered, and refused. */
  readonly requests: number;
  readonly seconds: number;
}

/** Answers of the provider: each asker has a root with children, and each child asks flat calls. */
export function rateResponder({ children, calls }: RateLoad): (request: MockRequest) => MockReply {
  return ({ system, messages }) => {
    if (!system.includes('You answer a query')) return { text: 'flat', latencyMs: 100 };
    const query = messages.find(({ role, content }) => role === 'user' && content.startsWith('Query:'))?.content ?? '';
    const child = /CHILD (\S+)/.exec(query)?.[1];
    const asker = /ASKER (\S+)/.exec(query)?.[1];
    const cell =
      child === undefined
        ? `r = rlm_query_batched([(f"CHILD ${asker}-{i}", "c") for i in range(${children})])\nFINAL(str(sum(int(str(x)) for x in r)))`
        : `print(context)\nr = llm_query_batched([f"${child} {i}" for i in range(${calls})])\nFINAL(str(sum(x.ok for x in r)))`;
    return { text: `\`\`\`repl\n${cell}\n\`\`\`` };
  };
}

/** Starts a provider with the limit; its environment has to be set before workers start. */
export function startLimited(load: RateLoad): Promise<MockProvider> {
  return startMockProvider({ respond: rateResponder(load), rateLimit: load.limit });
}

/** Lets the askers ask at the same time, and measures what the provider saw. */
export async function measureRate(
  load: RateLoad,
  { mock, redis, queue }: { readonly mock: MockProvider; readonly redis: string; readonly queue: string },
): Promise<RateFigures> {
  const { askers, children, calls, limit } = load;
  const clusters: Cluster[] = [];
  const before = mock.calls.length;
  const limits = {
    ...{ maxDepth: 2, maxConcurrentChildren: 100, maxConcurrentCalls: 64, maxSubCalls: 100_000 },
    ...{ maxTokens: 1_000_000_000, cellTimeoutMs: 3_600_000 },
  };
  try {
    const answers = Array.from({ length: askers }, async (_, asker) => {
      const cluster = await connectCluster({ redis, queue });
      clusters.push(cluster);
      await using rlm = createRlm({ model: 'openai/gpt-5', cluster, limits });
      return Number((await rlm.completion({ query: `ASKER ${asker}`, context: 'a context' })).answer);
    });
    const perAsker = await Promise.all(answers);
    const missing = perAsker.find((count) => count !== children * calls);
    if (missing !== undefined) throw new Error(`${missing} of ${children * calls} calls were answered`);
    const seen = mock.calls.slice(before);
    const flat = seen.filter(({ request }) => !request.system.includes('You answer a query'));
    const [first, last] = [flat[0]?.at ?? 0, flat.at(-1)?.at ?? 0];
    const within = seen.filter(({ at }) => at >= first && at <= last);
    const isRefused = ({ outcome }: MockCall): boolean => outcome === 'rate-limited';
    const refused = within.filter(isRefused).length;
    const later = within.filter(({ at }) => at >= first + SEARCH_MS);
    const seconds = (last - first) / 1_000;
    const used = (within.length - refused) / (limit.burst + limit.perSecond * seconds);
    const refusedLater = later.filter(isRefused).length / Math.max(1, later.length);
    const isMiddle = ({ at }: MockCall): boolean => Math.abs(at - (first + last) / 2) <= (last - first) / 4;
    const middle = within.filter((call) => isMiddle(call) && !isRefused(call)).length;
    const usedInTheMiddle = middle / (limit.perSecond * (seconds / 2));
    return { used, usedInTheMiddle, refused: refused / within.length, refusedLater, requests: within.length, seconds };
  } finally {
    for (const cluster of clusters) await cluster.close();
  }
}
