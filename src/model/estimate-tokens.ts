import { characterBoundary } from '../code-points.ts';
import { imageTokensIn } from './image-rules.ts';
import type { ChatMessage, Model } from './port.ts';

/** Longer texts are sampled: an estimate must not cost what the call saves. */
const SAMPLE_CHARS = 4_096;
const SAMPLE_WINDOWS = 16;
/** Tokens that chat templates add per message and per request; OpenAI documents 3 to 4. */
const TOKENS_PER_MESSAGE = 4;
const TOKENS_PER_REQUEST = 3;
/**
 * How far one provider's counts may move the estimate, and how fast. Lower counts leave it where it is: it is reserved as
 * a worst case, and what was learned from a text of many repeats would be too little for the next.
 */
const CORRECTION_MIN = 1;
const CORRECTION_MAX = 4;
const CORRECTION_WEIGHT = 0.3;

/**
 * A cheap estimate of the tokens of a text: a quarter per ASCII character, a half for the scripts of two UTF-8 bytes
 * (Latin with accents, Cyrillic, Greek, Hebrew, Arabic), one for everything above (CJK, emoji). Texts above 4 096
 * characters are sampled, so its cost is bounded.
 */
export function estimateTokens(text: string): number {
  if (text.length <= SAMPLE_CHARS) return Math.ceil(weigh(text, 0, text.length));
  const window = SAMPLE_CHARS / SAMPLE_WINDOWS;
  const stride = (text.length - window) / (SAMPLE_WINDOWS - 1);
  let weight = 0;
  for (let index = 0; index < SAMPLE_WINDOWS; index++) {
    const start = Math.floor(index * stride);
    weight += weigh(text, start, start + window);
  }
  return Math.ceil((weight / SAMPLE_CHARS) * text.length);
}

/** The longest beginning of a text within so many tokens, by the same estimate. */
export function textWithin(text: string, tokens: number): string {
  // No character is more than a token.
  if (text.length <= tokens) return text;
  let left = tokens * 4;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    left -= unit < 0x80 ? 1 : unit < 0x800 ? 2 : 4;
    if (left < 0) return text.slice(0, characterBoundary(text, index));
  }
  return text;
}

function weigh(text: string, start: number, end: number): number {
  let quarters = 0;
  for (let index = start; index < end; index++) {
    const unit = text.charCodeAt(index);
    quarters += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 4;
  }
  return quarters / 4;
}

/** The messages of a chat that were estimated last, and the sum of tokens up to each. */
interface EstimatedChat {
  readonly messages: ChatMessage[];
  readonly sums: number[];
}

/** By first message. A history grows by a message or two, and is estimated several times per turn. */
const chats = new WeakMap<ChatMessage, EstimatedChat>();

/** The estimated tokens of a chat's text, chat template included, before a model's own correction. */
export function estimateMessages(messages: readonly ChatMessage[]): number {
  const [first] = messages;
  if (first === undefined) return TOKENS_PER_REQUEST;
  const known = chats.get(first) ?? { messages: [], sums: [] };
  chats.set(first, known);
  let same = 0;
  while (same < messages.length && messages[same] === known.messages[same]) same += 1;
  let sum = known.sums[same - 1] ?? TOKENS_PER_REQUEST;
  if (same === messages.length) return sum;
  known.messages.length = known.sums.length = same;
  for (const message of messages.slice(same)) {
    sum += TOKENS_PER_MESSAGE + tokensOf(message);
    known.messages.push(message);
    known.sums.push(sum);
  }
  return sum;
}

/** Long messages are read once, whatever chat they are in. */
const read = new WeakMap<ChatMessage, number>();
const READ_ONCE_CHARS = 200;

function tokensOf(message: ChatMessage): number {
  if (message.content.length < READ_ONCE_CHARS) return estimateTokens(message.content);
  let tokens = read.get(message);
  if (tokens === undefined) {
    tokens = estimateTokens(message.content);
    read.set(message, tokens);
  }
  return tokens;
}

const corrections = new WeakMap<Model, number>();

/** The estimated tokens of a chat for one model, raised by what its provider counted before, and with its images. */
export function estimateInput(model: Model, messages: readonly ChatMessage[]): number {
  return Math.ceil(estimateMessages(messages) * (corrections.get(model) ?? 1)) + imageTokensIn(model, messages);
}

/** Corrects a model's later estimates by the provider's count of an earlier chat that was above its estimate. */
export function learnInput(model: Model, messages: readonly ChatMessage[], counted: number): void {
  // Their tokens are reserved by a rule, and would count as text.
  if (messages.some(({ images = [] }) => images.length > 0)) return;
  const plain = estimateMessages(messages);
  // A few words are mostly chat template: they say nothing about the text of the next call.
  if (plain < 50) return;
  const ratio = Math.min(CORRECTION_MAX, Math.max(CORRECTION_MIN, counted / plain));
  const known = corrections.get(model);
  corrections.set(model, known === undefined ? ratio : known + (ratio - known) * CORRECTION_WEIGHT);
}
