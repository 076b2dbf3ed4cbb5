import { blockToSend, FIRST_LOOK, finalWith, parseReply, proseAnswerOf } from '../protocol/index.ts';
import type { Note } from './feedback.ts';
import { commandInBlock, unreadCode } from './unread-code.ts';

/** A reply of which nothing ran and nothing was rejected. */
export interface EmptyReplyFacts {
  /** The reply without its reasoning. */
  readonly text: string;
  readonly reasoning: string | undefined;
  /** Code has looked at the context, or it is empty: a written answer counts. */
  readonly mayAnswer: boolean;
}

/** The kind of an empty reply: its form counts when replies in a row are counted, and its note says what to send. */
export interface EmptyReplyCoaching {
  readonly form: string;
  readonly note: Note;
}

/** A step that always works and shows what there is. */
export const SAFE_STEP = 'print(SHOW_VARS())\nprint(str(context)[:1000])';

/** Longest prose that is offered as the answer. */
const ANSWER_CHARS = 600;
/** Prose that announces a step: it is not an answer. */
const ANNOUNCES =
  /^\W*(?:ok(?:ay)?\b|sure\b|let me\b|let's\b|i will\b|i'll\b|i need\b|i should\b|i am going\b|i'm going\b|i can(?:not|'t)?\b|first\b|next\b|now\b|hm+\b|wait\b|to (?:answer|do|find)\b|we (?:need|should)\b|still\b|thinking\b)/i;
const UNREAD_FENCE = /^[ \t]*(?:`{3,}|~{3,})[ \t]*([\w+#.-]+)/m;

/** Names what came and gives the exact text to send. */
export function coachEmptyReply(facts: EmptyReplyFacts): EmptyReplyCoaching {
  const { text, reasoning } = facts;
  if (text.trim() === '') {
    if (reasoning === undefined || reasoning.trim() === '') return coaching('empty', 'it is empty', nextStep(facts));
    const seen = 'only reasoning came, which is not read; after it, write the reply';
    return coaching('reasoning', seen, fromReasoning(reasoning, facts) ?? nextStep(facts));
  }
  const unread = unreadCode(text);
  if (unread !== undefined) return coaching(unread.form, unread.seen, unread.send);
  const tag = UNREAD_FENCE.exec(text)?.[1];
  if (tag !== undefined) {
    const seen = `it has a block tagged ${tag.slice(0, 40)}, and only blocks of Python and bash are run`;
    const command = facts.mayAnswer ? commandInBlock(text) : undefined;
    return coaching(`fence ${tag}`, seen, command ?? nextStep(facts));
  }
  const answer = facts.mayAnswer ? answerOf(text) : undefined;
  const send = answer === undefined ? undefined : finalWith(answer);
  if (send === undefined) return coaching('prose', 'it is text alone', nextStep(facts));
  return coaching('prose', 'it is text alone. If that text is your answer', send, ', send');
}

function coaching(form: string, seen: string, send: string, before = '. To continue, send'): EmptyReplyCoaching {
  return {
    form,
    note: { text: `Your reply held nothing to run: ${seen}${before} exactly this and nothing else`, send },
  };
}

/** The command that the reasoning holds, or the answer it gives. */
function fromReasoning(reasoning: string, { mayAnswer }: EmptyReplyFacts): string | undefined {
  const { commands } = parseReply(reasoning);
  const cell = commands.find((command) => command.type === 'cell');
  if (cell !== undefined) return blockToSend(cell.code);
  if (!mayAnswer) return undefined;
  const answer = commands.find((command) => command.type === 'final' && command.form !== 'f-string');
  const prose = answer?.type === 'final' ? answer.value : proseAnswerOf(reasoning);
  return prose === undefined ? undefined : finalWith(prose);
}

/** Short prose that announces nothing may be meant as the answer. */
function answerOf(text: string): string | undefined {
  const trimmed = text.trim();
  return trimmed.length > ANSWER_CHARS || ANNOUNCES.test(trimmed) ? undefined : trimmed;
}

function nextStep({ mayAnswer }: EmptyReplyFacts): string {
  const code = mayAnswer ? SAFE_STEP : FIRST_LOOK;
  return blockToSend(code) ?? code;
}
