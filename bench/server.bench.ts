/**
 * The HTTP server: a request beside the same completion by the library alone, with a client in the same process. The model is in
 * the process as well and answers at once.
 *
 * Run: `node bench/server.bench.ts`
 */
import { createRlm, memoryStore } from '../src/index.ts';
import { startServer } from '../src/server/index.ts';
import { scriptedModel } from '../src/test.ts';
import { type DoorWay, reportDoor } from './support/door-overhead.ts';

/** Milliseconds of processor time that one request may add. */
const GOAL_MS = 5;
const TEXT = 'x'.repeat(20_000);

const store = memoryStore();
await using rlm = createRlm({ model: scriptedModel(() => '```python\nFINAL("yes")\n```'), store });
await using server = await startServer({ rlm, store });

function asking(path: string, given?: object): DoorWay {
  const body = given === undefined ? {} : { method: 'POST', body: JSON.stringify({ model: 'fathom', ...given }) };
  const ask = async (): Promise<void> => {
    const response = await fetch(`${server.url}/v1/${path}`, {
      headers: { 'content-type': 'application/json' },
      ...body,
    });
    const text = await response.text();
    if (!response.ok || (given !== undefined && !text.includes('yes'))) throw new Error(text);
  };
  return { ask, bar: GOAL_MS, ...(given === undefined && { alone: true }) };
}

const messages = [{ role: 'user', content: `Is it?\n${TEXT}` }];
await reportDoor(() => rlm.completion({ query: 'Is it?', context: TEXT }), {
  'chat/completions': asking('chat/completions', { messages }),
  'chat/completions, streamed': asking('chat/completions', { messages, stream: true }),
  responses: asking('responses', { input: `Is it?\n${TEXT}` }),
  'responses, streamed': asking('responses', { input: `Is it?\n${TEXT}`, stream: true }),
  models: asking('models'),
});
