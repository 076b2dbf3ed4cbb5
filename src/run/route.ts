import { contextBytes, contextText } from '../context/context-text.ts';
import type { Run } from '../engine/run.ts';
import type { Route } from '../event/event.ts';
import { DIRECT_CONTEXT_BYTES, DIRECT_CONTEXT_SHARE, DIRECT_WINDOW_SHARE } from '../limits.ts';
import { estimateTokens } from '../model/estimate-tokens.ts';
import { type ChatMessage, estimateInput, type Model } from '../model/index.ts';
import { directMessages } from '../prompt/direct-messages.ts';

/** The modes besides `always`, which needs no route. */
export type RoutedMode = 'auto' | 'direct';

/** A run before its route is known. */
export type UnroutedRun = Pick<
  Run,
  'query' | 'contexts' | 'seeds' | 'attachments' | 'models' | 'depth' | 'prompt' | 'answerType' | 'toolbox'
>;

/** The route of a run, before anything is sent: a model server on this machine is asked for its window at most. */
export async function chooseRoute(run: UnroutedRun, mode: RoutedMode): Promise<Route> {
  const model = rootModelOf(run);
  await model.prepare?.();
  const window = model.contextTokens ?? null;
  if (run.seeds.size > 0 || run.attachments !== undefined) {
    const reason = 'only code can use seed values and attachments';
    return { chosen: 'loop', reason, tokens: null, window };
  }
  if (mode === 'auto') {
    const early = loopAtOnce(run, window);
    if (early !== undefined) return { chosen: 'loop', reason: early, tokens: null, window };
  }
  const whole = await contextText(run.contexts, DIRECT_CONTEXT_BYTES);
  if ('because' in whole) return { chosen: 'loop', reason: whole.because, tokens: null, window };
  const tokens = estimateInput(model, messagesOf(run, whole.text));
  if (mode === 'direct') return { chosen: 'direct', reason: 'the mode is direct', tokens, window };
  return { ...judge({ context: estimateTokens(whole.text), tokens, window: window ?? 0 }), tokens, window };
}

/** Sizes in tokens. */
export interface Sizes {
  readonly context: number;
  /** Everything that is sent. */
  readonly tokens: number;
  readonly window: number;
}

/**
 * The loop reads a context that fills much of the window better than one look does; one that is small is cheaper in one call.
 */
export function judge({ context, tokens, window }: Sizes): Pick<Route, 'chosen' | 'reason'> {
  if (context > DIRECT_CONTEXT_SHARE * window) {
    return {
      chosen: 'loop',
      reason: `the context has about ${context} tokens, ${shareOf(DIRECT_CONTEXT_SHARE, window)}`,
    };
  }
  // The loop sends the query and the instructions as well: where they are the most of it, it does not help.
  if (tokens > DIRECT_WINDOW_SHARE * window && context >= tokens / 2) {
    return { chosen: 'loop', reason: `the call has about ${tokens} tokens, ${shareOf(DIRECT_WINDOW_SHARE, window)}` };
  }
  return {
    chosen: 'direct',
    reason: `the context has about ${context} tokens, which the window of ${window} holds well`,
  };
}

function shareOf(share: number, window: number): string {
  return `more than ${share * 100} % of the window of ${window}`;
}

/** Why `auto` takes the loop without a look into the context. */
function loopAtOnce({ contexts, toolbox }: UnroutedRun, window: number | null): string | undefined {
  if (toolbox.bindings.length > 0 || Object.keys(toolbox.values).length > 0)
    return 'only code can use the tools of the run';
  if (window === null) return 'the window of the root model is unknown';
  // A byte is at least an eighth of a token, in UTF-16.
  const least = Math.floor(contextBytes(contexts) / 8);
  if (least <= DIRECT_CONTEXT_SHARE * window) return undefined;
  return `the context has at least ${least} tokens, ${shareOf(DIRECT_CONTEXT_SHARE, window)}`;
}

/** The model that a direct call asks. */
export function rootModelOf({ models, depth }: Pick<Run, 'models' | 'depth'>): Model {
  return models.inUse(models.at(depth));
}

/** The messages of a direct call about this context. */
export function messagesOf({ query, prompt, answerType }: UnroutedRun, context: string): readonly ChatMessage[] {
  return directMessages({ query, context, prompt, outputSchema: answerType?.schemaText });
}
