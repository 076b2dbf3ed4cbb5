import { defined } from '../../defined.ts';
import type { RunEvent } from '../../event/event.ts';
import { createRlm } from '../../rlm.ts';
import { contextFromArguments } from '../context/context-arguments.ts';
import { sweepInput } from '../context/spooled-input.ts';
import { limitsOf, type QuestionOptions, type ReplOptions, replOf } from '../options/ask-options.ts';
import { applyConfig } from '../options/config.ts';
import { DEFAULT_STORE, type KeepOptions, openToKeep } from '../options/store.ts';
import type { Console } from '../screen/console.ts';
import { chooseModels } from '../session/model-choice.ts';
import { type OpenSession, withSession } from '../session/with-session.ts';
import { CHAT_EXTENSIONS, CHAT_LIFETIME_SECONDS } from './limits.ts';
import { type Exchange, storedExchanges } from './recap.ts';

/** The options of `fathom chat`. */
export interface ChatOptions extends QuestionOptions, ReplOptions, KeepOptions {
  readonly session?: string;
  /** Seconds. */
  readonly lifetime?: number;
}

export interface UseChatSession {
  readonly options: ChatOptions;
  readonly console: Console;
  readonly note: (line: string) => void;
  readonly onEvent: (event: RunEvent) => void;
}

/** The session of a chat. */
export interface ChatSession extends Pick<OpenSession, 'session' | 'models' | 'store'> {
  /** Milliseconds that an extension adds. */
  readonly extensionMs: number;
  /** The questions that it has answered already. */
  readonly earlier: readonly Exchange[];
  /** It is a session of earlier; new files are the context of the first question. */
  readonly continued: boolean;
  /** It outlives this process. */
  readonly durable: boolean;
}

/** Creates a session, or brings back the one that is named, and releases it when the work is done. */
export async function withChatSession<T>(use: UseChatSession, work: (chat: ChatSession) => Promise<T>): Promise<T> {
  const { session: id } = use.options;
  if (id === undefined) return await withNew(use, work);
  const { store } = use.options;
  const options = { ...use.options, store: store === false ? DEFAULT_STORE : store };
  return await withSession({ ...use, id, options }, async ({ session, models, store, stored }) => {
    if (models.missing !== undefined) throw models.missing;
    const earlier = await storedExchanges(session.id, store);
    const { extensionMs } = stored;
    return await work({ session, models, store, extensionMs, earlier, continued: true, durable: true });
  });
}

async function withNew<T>(
  { options, console, note, onEvent }: UseChatSession,
  work: (chat: ChatSession) => Promise<T>,
): Promise<T> {
  const models = chooseModels(options, console.env);
  if (models.missing !== undefined) throw models.missing;
  const config = applyConfig(console.env);
  await using keeping = openToKeep(options, note);
  const { store, durable } = keeping;
  await sweepInput(store);
  const { context, dispose } = await contextFromArguments({
    ...{ options, stdin: console.stdin, note, store },
    ...defined({ mcpServers: config.mcpServers }),
  });
  try {
    const instructions = options.instructions ?? config.instructions;
    const prompt = instructions === undefined ? {} : { prompt: { instructions } };
    await using rlm = createRlm({ ...models.rlm, ...prompt, store, ...replOf(options, config), onEvent });
    const extensionMs = (options.lifetime ?? CHAT_LIFETIME_SECONDS) * 1_000;
    const session = await rlm.createSession({
      limits: limitsOf(options, config),
      lifetimeMs: extensionMs,
      extensionMs,
      maxExtensions: CHAT_EXTENSIONS,
      ...(context !== undefined && { context }),
    });
    return await work({ session, models, store, extensionMs, earlier: [], continued: false, durable });
  } finally {
    // A stored session needs its input again; it is swept away once the session has ended.
    if (!durable) await dispose();
  }
}
