import {
  COMPACTION_KEPT_TURNS,
  NEWEST_LEAST_OUTPUT_CHARS,
  NEWEST_OUTPUT_CHARS,
  SUMMARY_TOKENS,
} from '../compact/limits.ts';
import type { CompactionSizes } from '../compact/sizes.ts';
import type { ConversationTurn, ConversationView, ShownTurn } from '../engine/conversation.ts';
import { withoutOutputs, withShortOutputs } from '../prompt/compacted-turns.ts';

/**
 * One step that makes a conversation smaller, as the journal records it: a resumed run repeats the recorded steps, also
 * where another estimate would choose others.
 */
export type CompactionStep =
  | { readonly step: 'drop'; readonly turns: readonly string[] }
  | { readonly step: 'summarise'; readonly turns: readonly string[]; readonly summary: string }
  | { readonly step: 'cut'; readonly turns: readonly string[] }
  /** So many of the oldest summaries. */
  | { readonly step: 'cut-summaries'; readonly count: number }
  /** Outputs and replies of the newest turns, to so many characters each. */
  | { readonly step: 'shorten'; readonly turns: readonly string[]; readonly chars: number };

/** The view after a step. */
export function afterStep(view: ConversationView, step: CompactionStep): ConversationView {
  switch (step.step) {
    case 'drop':
      return { ...view, shown: view.shown.map((shown) => (names(step, shown) ? withoutItsOutputs(shown) : shown)) };
    case 'summarise':
      return removeTurns(view, step.turns, [{ handles: step.turns, text: step.summary }]);
    case 'cut':
      return removeTurns(view, step.turns, []);
    case 'cut-summaries':
      return { ...view, summaries: view.summaries.slice(step.count) };
    case 'shorten':
      return {
        ...view,
        shown: view.shown.map((shown) => (names(step, shown) ? shortened(shown, step.chars) : shown)),
      };
  }
}

function names({ turns }: { readonly turns: readonly string[] }, { turn }: ShownTurn): boolean {
  return turns.includes(turn.handle);
}

/** Handles of the outputs that a turn loses when its outputs are dropped. */
export function droppedOutputs({ messages: [, feedback] }: ShownTurn): readonly string[] {
  return withoutOutputs(feedback.content).dropped;
}

function withoutItsOutputs({ turn, messages: [reply, feedback] }: ShownTurn): ShownTurn {
  return { turn, messages: [reply, { role: 'user', content: withoutOutputs(feedback.content).text }] };
}

function shortened({ turn, messages: [reply, feedback] }: ShownTurn, chars: number): ShownTurn {
  const content =
    reply.content.length <= chars
      ? reply.content
      : `${reply.content.slice(0, chars).toWellFormed()}\n(shortened to save room: history["${turn.handle}"]["reply"] is all of it)`;
  return {
    turn,
    messages: [
      { role: 'assistant', content },
      { role: 'user', content: withShortOutputs(feedback.content, chars) },
    ],
  };
}

function removeTurns(
  view: ConversationView,
  turns: readonly string[],
  summaries: ConversationView['summaries'],
): ConversationView {
  const gone = view.shown.filter(({ turn }) => turns.includes(turn.handle));
  return {
    shown: view.shown.filter((shown) => !gone.includes(shown)),
    removed: [
      ...view.removed,
      ...gone.map(({ turn: { handle, commands, imageCount = 0 } }) => ({ handle, commands, imageCount })),
    ],
    summaries: [...view.summaries, ...summaries],
  };
}

/** A conversation and the sizes it has to fit. */
export interface CompactionTask extends CompactionSizes {
  readonly view: ConversationView;
  /** Estimated tokens of the whole conversation with that view. */
  readonly tokensOf: (view: ConversationView) => number;
}

/** The outputs to drop, oldest first, until the conversation has its target; undefined where nothing can be dropped. */
export function planDrop({ view, tokensOf, target }: CompactionTask): CompactionStep | undefined {
  const turns: string[] = [];
  let now = view;
  for (const shown of view.shown.slice(0, -COMPACTION_KEPT_TURNS)) {
    if (tokensOf(now) <= target) break;
    if (droppedOutputs(shown).length === 0) continue;
    turns.push(shown.turn.handle);
    now = afterStep(now, { step: 'drop', turns: [shown.turn.handle] });
  }
  return turns.length === 0 ? undefined : { step: 'drop', turns };
}

/** The oldest turns whose removal brings the conversation to its target, a summary included. */
export function planRemoval({ view, tokensOf, target }: CompactionTask): readonly ConversationTurn[] {
  const old = view.shown.slice(0, -COMPACTION_KEPT_TURNS);
  if (tokensOf(view) <= target) return [];
  for (let count = 1; count < old.length; count++) {
    const turns = old.slice(0, count).map(({ turn }) => turn.handle);
    if (tokensOf(afterStep(view, { step: 'cut', turns })) + SUMMARY_TOKENS <= target) {
      return old.slice(0, count).map(({ turn }) => turn);
    }
  }
  return old.map(({ turn }) => turn);
}

/** The last steps, where removed turns were not enough: earlier summaries go, then the newest turns are shortened. */
export function planCut({ view, tokensOf, trigger }: CompactionTask): readonly CompactionStep[] {
  const steps: CompactionStep[] = [];
  let now = view;
  const add = (step: CompactionStep): void => {
    steps.push(step);
    now = afterStep(now, step);
  };
  if (tokensOf(now) > trigger && now.summaries.length > 1) {
    let count = 1;
    const tokensWithout = (cut: number): number => tokensOf(afterStep(now, { step: 'cut-summaries', count: cut }));
    while (count < now.summaries.length - 1 && tokensWithout(count) > trigger) count++;
    add({ step: 'cut-summaries', count });
  }
  if (tokensOf(now) <= trigger || now.shown.length === 0) return steps;
  const turns = now.shown.map(({ turn }) => turn.handle);
  for (let chars = NEWEST_OUTPUT_CHARS; ; chars /= 2) {
    const step: CompactionStep = { step: 'shorten', turns, chars };
    if (chars > NEWEST_LEAST_OUTPUT_CHARS && tokensOf(afterStep(now, step)) > trigger) continue;
    return [...steps, step];
  }
}
