/** Cuts a model's reasoning out of the lines of its reply. */
export interface ReasoningFilter {
  /** Takes the next line outside fences; gives the line that is left of it, or undefined while it is not complete. */
  readonly line: (raw: string) => string | undefined;
  /** What stood before reasoning that was still open when the reply ended. */
  readonly rest: () => string | undefined;
}

type Tag = 'think' | 'thinking';

const tagHere = /<(\/?)(think|thinking)>/iy;

/**
 * Cuts out `<think>…</think>` and `<thinking>…</thinking>`, in any case. Text before and after joins to one line.
 *
 * @param dropAll called at a closing tag that nothing opened: some providers strip the opening tag, so everything up to it
 * was reasoning. Returns false if it is too late for that, because a command before it has been given out; then only the
 * tag itself is cut.
 */
export function createReasoningFilter(dropAll: () => boolean): ReasoningFilter {
  let open: Tag | undefined;
  let visible = '';
  let incomplete = false;

  function line(raw: string): string | undefined {
    if (!incomplete && raw.indexOf('<', 0) === -1) return raw;
    let at = 0;
    for (;;) {
      const tag = nextTag(raw, at, open);
      if (open === undefined) visible += raw.slice(at, tag?.start);
      if (tag === undefined) break;
      if (open !== undefined) open = undefined;
      else if (!tag.closing) open = tag.name;
      else if (dropAll()) visible = '';
      at = tag.end;
    }
    incomplete = open !== undefined;
    if (incomplete) return undefined;
    const whole = visible;
    visible = '';
    return whole;
  }

  return { line, rest: () => (incomplete ? visible : undefined) };
}

interface FoundTag {
  readonly name: Tag;
  readonly closing: boolean;
  readonly start: number;
  readonly end: number;
}

/** The next tag that means something: inside reasoning only its own closing tag, outside any. */
function nextTag(line: string, from: number, open: Tag | undefined): FoundTag | undefined {
  for (let start = line.indexOf('<', from); start !== -1; start = line.indexOf('<', start + 1)) {
    tagHere.lastIndex = start;
    const match = tagHere.exec(line);
    if (match === null) continue;
    const name: Tag = match[2]?.toLowerCase() === 'think' ? 'think' : 'thinking';
    const closing = match[1] === '/';
    if (open === undefined || (closing && name === open)) return { name, closing, start, end: start + match[0].length };
  }
  return undefined;
}

/** The prose of a reply without the model's reasoning; fences are not looked at. */
export function withoutReasoning(reply: string): string {
  let kept: string[] = [];
  const filter = createReasoningFilter(() => {
    kept = [];
    return true;
  });
  for (const line of reply.split(/\r\n|\r|\n/)) {
    const visible = filter.line(line);
    if (visible !== undefined) kept.push(visible);
  }
  const rest = filter.rest();
  return [...kept, ...(rest === undefined ? [] : [rest])].join('\n').trim();
}
