/**
 * The provider of the bench of children over workers, in a thread of its own, so that its time is not that of the process that asks.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { startMockProvider } from '../../test/mock-provider/index.ts';
import { latencyOf } from './cluster-latency.ts';

export interface ClusterProviderData {
  readonly children: number;
  readonly medianMs: number;
  readonly contextBytes: number;
  /** Address to listen at. */
  readonly host: string;
}

const { children, medianMs, contextBytes, host } = workerData as ClusterProviderData;
const ROOT = [
  `shared = "x" * ${contextBytes}`,
  `asked = [(f"CHILD {i}", shared) for i in range(${children})]`,
  'FINAL(str(sum(r.ok for r in rlm_query_batched(asked))))',
];
const mock = await startMockProvider({
  host,
  respond({ system, messages, prompt }) {
    if (!system.includes('You answer a query')) return { text: 'flat', latencyMs: latencyOf(Number(prompt), medianMs) };
    const query = messages.find(({ content }) => content.startsWith('Query:\nCHILD'))?.content;
    const number = /CHILD (\d+)/.exec(query ?? '')?.[1];
    const lines = number === undefined ? ROOT : ['print(len(context))', `FINAL(llm_query("${number}"))`];
    return { text: `\`\`\`repl\n${lines.join('\n')}\n\`\`\`` };
  },
});
parentPort?.postMessage(mock.env);
