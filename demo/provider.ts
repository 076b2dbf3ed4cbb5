import { readFileSync } from 'node:fs';
import { type MockProvider, type MockRequest, startMockProvider } from '../test/mock-provider/index.ts';
import type { ServerProfile } from '../test/mock-provider/profiles.ts';
import { readPrompt } from './reader.ts';

/** Turns of the recorded root model: each is the text of a reply, with code and without any answer in it. */
const TURNS = 6;
/** Milliseconds a sub-call takes, so that their concurrency can be seen. */
const SUB_CALL_MS = 150;

/** The model names the demo asks for; the provider distinguishes root calls and sub-calls by them. */
export const ROOT_MODEL = 'recorded-root';
export const READER_MODEL = 'recorded-reader';

/** How the provider is started; default: one that makes no difficulties. */
export interface DemoProviderOptions {
  readonly profile?: ServerProfile;
  /** Default {@link SUB_CALL_MS}. */
  readonly latencyMs?: number;
}

/** A provider on loopback that speaks OpenAI's wire format: the root plays its recording, sub-calls are read as they come. */
export async function startDemoProvider({
  profile,
  latencyMs = SUB_CALL_MS,
}: DemoProviderOptions = {}): Promise<MockProvider> {
  const turns = Array.from({ length: TURNS }, (_, index) =>
    readFileSync(new URL(`recorded/turn-${index + 1}.md`, import.meta.url), 'utf8'),
  );
  return await startMockProvider({
    ...(profile === undefined ? {} : { profile }),
    // The root's requests begin with a system prompt; those of sub-calls are the prompt alone.
    respond: (request) =>
      request.model === READER_MODEL || request.system === ''
        ? { text: readPrompt(request.prompt), latencyMs }
        : { text: turns[turnOf(request)] ?? 'The recording ends here.', pieces: 12 },
  });
}

/** How many replies of its own the request shows. */
function turnOf({ messages }: MockRequest): number {
  return messages.filter((message) => message.role === 'assistant').length;
}
