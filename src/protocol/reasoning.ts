/**
 * How model families mark reasoning, channels and turns in the text of a reply. The markers come from their chat
 * templates: DeepSeek and Qwen `<think>`, Mistral `[THINK]`, Kimi `◁think▷`, Seed `<seed:think>`, Cohere
 * `<|START_THINKING|>`, OpenThinker `<|begin_of_thought|>`, gpt-oss channels (https://cookbook.openai.com/articles/openai-harmony).
 *
 * @module
 */

/** Cuts a model's reasoning and its family's control tokens out of the lines of its reply. */
export interface ReasoningFilter {
  /** Takes the next line outside fences; returns the line that is left of it, or undefined while it is not complete. */
  readonly line: (raw: string) => string | undefined;
  /** The reply begins with reasoning whose channel marks a server has stripped: up to `assistantfinal`. */
  readonly openBare: () => void;
  /** The text before reasoning that was still open when the reply ended. */
  readonly rest: () => string | undefined;
}

/** Names of `<name>…</name>` that hold reasoning. */
const TAG_NAMES =
  'think|thinking|thought|thoughts|reasoning|reflection|scratch_?pad|inner_monologue|seed:think|longcat_think|antthinking';

/** A kind of reasoning is closed by its own marker only. */
type Kind = string;

type Marker =
  | { readonly type: 'open'; readonly kind: Kind }
  | { readonly type: 'close'; readonly kind: Kind }
  /** A channel of the Harmony format: `final` is the reply, a call has a recipient, all others are reasoning. */
  | { readonly type: 'channel'; readonly name: string; readonly recipient: string | undefined }
  /** The end of a Harmony message. */
  | { readonly type: 'message-end' }
  /** A token of the chat template that means nothing in a reply. */
  | { readonly type: 'control' };

const HARMONY: Kind = 'channel';

const MARKER = new RegExp(
  [
    `<(?<slash>/?)(?<tag>${TAG_NAMES})>`,
    '\\[(?<mistralEnd>/?)THINK\\]',
    '◁(?<kimiEnd>/?)think▷',
    '<\\|(?<thought>begin|end)_of_thought\\|>',
    '<\\|(?<cohere>START|END)_THINKING\\|>',
    '<\\|channel>(?<gemma>[a-z]{0,20})|(?<gemmaEnd><channel\\|>)',
    '(?:<\\|start\\|>[a-z]{1,20}|assistant(?=[ <]))?(?: to=(?<early>[\\w.-]{1,60}))?<\\|channel\\|>[ \\t]{0,4}(?<channel>[a-z]{1,20})(?<to>[^<\\n]{0,80})(?:<\\|constrain\\|>[^<\\n]{0,20})?<\\|message\\|>',
    '(?<messageEnd><\\|(?:end|return|call)\\|>(?:<\\|start\\|>assistant(?!<\\|channel))?)',
    '(?<control><\\|(?:im_end|im_start|message|constrain|eot_id|eom_id|end_of_text|endoftext|begin_of_text|assistant|start|START_RESPONSE|END_RESPONSE|END_OF_TURN_TOKEN)\\|>(?:assistant\\b)?|<(?:end_of_turn|start_of_turn)>(?:model\\b)?|</?s>|\\[/?INST\\]|<｜(?:end|begin)▁of▁sentence｜>|<｜Assistant｜>)',
  ].join('|'),
  'giu',
);

/** First characters of all markers: most lines have none of them. */
export const FIRST_OF_MARKER: RegExp = /[<[◁]/;

/**
 * Cuts out reasoning in every family's marks, and control tokens. Text before and after joins to one line. A Harmony
 * message to a recipient becomes `<harmony_call name="recipient">…</harmony_call>`.
 *
 * @param dropAll called at a closing mark that nothing opened: some servers strip the opening mark, so everything up to
 * it was reasoning. Returns false if it is too late for that, because a command before it has been given out; then only
 * the mark itself is cut.
 */
export function createReasoningFilter(dropAll: () => boolean): ReasoningFilter {
  let open: Kind | undefined;
  let calling = false;
  let visible = '';
  let incomplete = false;
  let bare = false;

  function line(raw: string): string | undefined {
    const call = BARE_CALL.exec(raw);
    if (call !== null && (bare || call.index === 0)) {
      bare = false;
      return line(`<|channel|>commentary to=${call[1]}<|message|>${raw.slice(call.index + call[0].length)}`);
    }
    if (bare) {
      const end = raw.indexOf(BARE_FINAL);
      bare = end === -1;
      return bare ? undefined : line(raw.slice(end + BARE_FINAL.length));
    }
    if (!incomplete && !FIRST_OF_MARKER.test(raw)) return raw;
    let at = 0;
    MARKER.lastIndex = 0;
    for (let match = MARKER.exec(raw); match !== null; match = MARKER.exec(raw)) {
      const end = MARKER.lastIndex;
      const marker = readMarker(match);
      if (open !== undefined && !ends(marker, open)) continue;
      if (open === undefined) visible += raw.slice(at, match.index);
      take(marker);
      at = end;
    }
    if (open === undefined) visible += raw.slice(at);
    incomplete = open !== undefined;
    if (incomplete) return undefined;
    const whole = visible;
    visible = '';
    return whole;
  }

  function take(marker: Marker): void {
    open = undefined;
    if (marker.type === 'open') open = marker.kind;
    else if (marker.type === 'close') {
      if (!incomplete && dropAll()) visible = '';
    } else if (marker.type === 'channel') takeChannel(marker.name, marker.recipient);
    else if (marker.type === 'message-end' && calling) {
      visible += '</harmony_call>';
      calling = false;
    }
  }

  function takeChannel(name: string, recipient: string | undefined): void {
    if (recipient !== undefined) {
      visible += `<harmony_call name="${recipient}">`;
      calling = true;
    } else if (name.toLowerCase() !== 'final') open = HARMONY;
  }

  return {
    line,
    openBare: () => {
      bare = true;
    },
    rest: () => (incomplete || bare ? visible : undefined),
  };
}

/** Whether a marker ends the reasoning that is open. */
function ends(marker: Marker, open: Kind): boolean {
  if (open === HARMONY) return marker.type === 'message-end' || marker.type === 'channel';
  return marker.type === 'close' && marker.kind === open;
}

function readMarker({ groups = {} }: RegExpExecArray): Marker {
  const { slash, tag, mistralEnd, kimiEnd, thought, cohere, gemma, gemmaEnd, channel, to, early, messageEnd } = groups;
  if (tag !== undefined) return openOrClose(slash === '/', tag.toLowerCase());
  if (mistralEnd !== undefined) return openOrClose(mistralEnd === '/', 'mistral');
  if (kimiEnd !== undefined) return openOrClose(kimiEnd === '/', 'kimi');
  if (thought !== undefined) return openOrClose(thought.toLowerCase() === 'end', 'thought');
  if (cohere !== undefined) return openOrClose(cohere.toUpperCase() === 'END', 'cohere');
  if (gemma !== undefined || gemmaEnd !== undefined) return openOrClose(gemmaEnd !== undefined, 'gemma');
  if (channel !== undefined) {
    return { type: 'channel', name: channel, recipient: early ?? /\bto=([\w.-]+)/.exec(to ?? '')?.[1] };
  }
  return messageEnd === undefined ? { type: 'control' } : { type: 'message-end' };
}

function openOrClose(closes: boolean, kind: Kind): Marker {
  return { type: closes ? 'close' : 'open', kind };
}

/** gpt-oss channels whose markers a server has stripped: the bare words, run together with the text. */
const BARE_CHANNELS = /^\s*(?:analysis|commentary)(?=[A-Z"'`(\n])[\s\S]*?assistantfinal/;
const BARE_FINAL = 'assistantfinal';
/** A call of such a reply: `assistantcommentary to=python code…`, with or without the word before it. */
const BARE_CALL =
  /(?:^\s*|assistant)(?:commentary|analysis) to=(?:functions\.)?([a-z_][\w.-]{0,59})(?:[ \t]+(?:code|json(?=\s*[{[])))?[ \t]*/;
/** The first line of such a reply. */
export const BARE_OPENING: RegExp =
  /^\s*(?:(?:analysis|commentary)(?:[A-Z"'`(]|$)|(?:assistant)?(?:analysis|commentary) to=)/;

/** The prose of a reply without the model's reasoning; fences are not looked at. */
export function withoutReasoning(reply: string): string {
  let kept: string[] = [];
  const filter = createReasoningFilter(() => {
    kept = [];
    return true;
  });
  for (const line of withoutBareChannels(reply).split(/\r\n|\r|\n/)) {
    const visible = filter.line(line);
    if (visible !== undefined) kept.push(visible);
  }
  const rest = filter.rest();
  return [...kept, ...(rest === undefined ? [] : [rest])].join('\n').trim();
}

function withoutBareChannels(reply: string): string {
  const bare = BARE_CHANNELS.exec(reply);
  return bare === null ? reply : reply.slice(bare[0].length);
}

/** A reply in two parts. */
export interface SplitReply {
  readonly text: string;
  /** Undefined when the reply holds none. */
  readonly reasoning: string | undefined;
}

/** The openings with which a reply begins that has its reasoning in its text. */
const OPENS_WITH_REASONING = new RegExp(
  `^\\s*(?:<(?:${TAG_NAMES})>|\\[THINK\\]|◁think▷|<\\|begin_of_thought\\|>|<\\|START_THINKING\\|>|(?:<\\|start\\|>[a-z]{1,20})?<\\|channel\\|>)`,
  'iu',
);
/** A closing mark on a line of its own, or at the end of one. */
const BARE_CLOSE = new RegExp(`</(?:${TAG_NAMES})>[ \\t]*(?:\\n|$)|\\[/THINK\\]|◁/think▷`, 'iu');
const OPEN_OR_CLOSE = new RegExp(`</?(?:${TAG_NAMES})>|\\[/?THINK\\]|◁/?think▷`, 'iu');

/**
 * Splits a sub-call's reply into reasoning and answer. Only reasoning that begins the reply is taken for such: a mark
 * further on may be data that the reply quotes.
 */
export function splitReasoning(reply: string): SplitReply {
  const bare = BARE_CHANNELS.exec(reply);
  if (bare !== null) {
    return { text: reply.slice(bare[0].length).trim(), reasoning: bare[0].replace(/assistantfinal$/, '').trim() };
  }
  if (OPENS_WITH_REASONING.test(reply)) return splitMarked(reply);
  const close = BARE_CLOSE.exec(reply);
  if (close === null || OPEN_OR_CLOSE.exec(reply)?.index !== close.index) return { text: reply, reasoning: undefined };
  return { text: reply.slice(close.index + close[0].length).trim(), reasoning: reply.slice(0, close.index).trim() };
}

function splitMarked(reply: string): SplitReply {
  const lines = reply.split('\n');
  const filter = createReasoningFilter(() => false);
  const kept: string[] = [];
  for (const [index, line] of lines.entries()) {
    const visible = filter.line(line);
    if (visible === undefined) continue;
    kept.push(visible);
    // Once the answer has begun it is data, whatever marks it holds.
    if (visible.trim() !== '' && !/<\|/.test(reply)) {
      kept.push(...lines.slice(index + 1));
      break;
    }
  }
  const text = [...kept, filter.rest() ?? ''].join('\n').trim();
  const end = text === '' ? reply.length : reply.lastIndexOf(text);
  return {
    text,
    reasoning: reply
      .slice(0, end === -1 ? undefined : end)
      .replaceAll(MARKER, '')
      .trim(),
  };
}
