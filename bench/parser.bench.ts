/**
 * How fast replies are parsed: MB/s (UTF-16 units taken as bytes, which they are in ASCII) over realistic replies, beside
 * the floor of merely splitting the same text in lines. The bar is 50 MB/s.
 *
 * Run: `node bench/parser.bench.ts`
 */
import { pathToFileURL } from 'node:url';
import { createReplyParser, parseReply } from '../src/protocol/index.ts';

const BAR_MB_PER_SECOND = 50;
const REPLY_MB = 8;
const ROUNDS = 7;

const cell = `I will look at the shape of the context first; it's (probably) a log of some kind, one record per line.

\`\`\`python
import re
from collections import Counter

lines = context.splitlines()  # it's one record per line
print(len(lines), "lines", f"{len(context):,} characters")
counts = Counter(m.group(1) for line in lines if (m := re.search(r"level=(\\w+)", line)))
doc = """A note that
spans lines."""
for name, count in counts.most_common(10):
    print(f"{name:>10} {count}")
\`\`\`

That should show which levels exist. Then I ask a sub-model about the errors.
`;

const mixed = `${cell}
- RUN(grep -c "level=error" log.txt)
1. QUERY_LLM(What's the most likely cause of these errors (see above)?)
QUERY_LLM_BATCHED(["first half: what fails?", "second half: what's failing?"])
FINAL(It's the disk (node 7), full since 03:14)
`;

const prose = `The records (some 40 000 of them) fall in three groups, and it's not clear yet which one the question is about.
If the second group is meant, the answer would be in the header; otherwise <b>every record</b> has to be read once.

`;

/** Prints one row for each kind of reply. */
export function benchParser(): void {
  for (const [name, piece] of Object.entries({ cell, mixed, prose })) {
    const reply = piece.repeat(Math.ceil((REPLY_MB * 1e6) / piece.length));
    const replies = Array.from({ length: 2_000 }, () => piece);
    row(`${name}, one ${REPLY_MB} MB reply`, reply.length, {
      parse: () => parseReply(reply).commands.length,
      floor: () => countLines(reply),
    });
    row(`${name}, ${replies.length} replies`, piece.length * replies.length, {
      parse: () => replies.reduce((sum, text) => sum + parseReply(text).commands.length, 0),
      floor: () => replies.reduce((sum, text) => sum + countLines(text), 0),
    });
    row(`${name}, streamed by 16`, reply.length, {
      parse: () => stream(reply),
      floor: () => countLines(reply),
    });
  }
}

/** The floor. Not `split`, whose results V8 caches. */
function countLines(text: string): number {
  let lines = 0;
  let from = 0;
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
    if (text.slice(from, end).length > 0) lines += 1;
    from = end + 1;
  }
  return lines;
}

/** Parses in chunks about as long as a provider's deltas. */
function stream(reply: string): number {
  const parser = createReplyParser();
  let commands = 0;
  for (let at = 0; at < reply.length; at += 16) commands += parser.push(reply.slice(at, at + 16)).commands.length;
  return commands + parser.end().commands.length;
}

function row(name: string, length: number, { parse, floor }: { parse: () => number; floor: () => number }): void {
  const parsed = length / 1e3 / fastest(parse);
  const split = length / 1e3 / fastest(floor);
  const verdict = parsed >= BAR_MB_PER_SECOND ? 'ok' : `below the bar of ${BAR_MB_PER_SECOND} MB/s`;
  const figures = `${parsed.toFixed(0).padStart(5)} MB/s  floor ${split.toFixed(0).padStart(5)} MB/s`;
  console.log(`${name.padEnd(28)} ${figures}  ratio ${(parsed / split).toFixed(2)}  ${verdict}`);
}

/** Milliseconds of the fastest of some rounds: noise only ever slows down. */
function fastest(run: () => number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) benchParser();
