/** Claims of the system prompt about sub-calls and helpers, each with a run that shows it. */
import { expect } from 'vitest';
import { png } from '../../src/model/image.testing.ts';
import { answered, type Claim } from './claims-of-cells.ts';
import { cell, promptOf } from './harness.ts';

export const SUB_CALL_CLAIMS: readonly Claim[] = [
  {
    says: '`llm_query(prompt, *, system=None, max_tokens=None)`',
    script: {
      context: 'x',
      root: [
        cell(
          'r = llm_query("p", system="s", max_tokens=7)',
          'FINAL([isinstance(r, str), r.ok, r.truncated, sorted(r.usage)])',
        ),
      ],
    },
    holds: (played) => {
      expect(answered(played)).toBe('[true, true, false, ["cost_usd", "input_tokens", "output_tokens"]]');
      expect(played.sub.requests[0]).toMatchObject({
        maxOutputTokens: 7,
        messages: [{ content: 's' }, { content: 'p' }],
      });
    },
  },
  {
    says: 'A call that fails raises `LLMError`.',
    script: {
      context: 'x',
      sub: [new Error('no')],
      root: [cell('try:', '    llm_query("p")', 'except LLMError:', '    FINAL("raised")')],
    },
    holds: (played) => expect(answered(played)).toBe('raised'),
  },
  {
    says: '`llm_query_batched(prompts)`',
    script: {
      context: 'x',
      sub: ({ prompt }) => (prompt === 'b' ? new Error('no') : prompt),
      root: [cell('a, b, c = llm_query_batched(["a", "b", "c"])', 'FINAL([a, c, b.ok, b.error is not None])')],
    },
    holds: (played) => expect(answered(played)).toBe('["a", "c", false, true]'),
  },
  {
    says: 'At this depth `rlm_query(query, context)` adds nothing to `llm_query`: one call whose prompt is the query and the context.',
    script: {
      context: 'x',
      root: [
        cell(
          'one = rlm_query("q", "ctx")',
          'many = rlm_query_batched([("q1", "c1"), ("q2", "c2")])',
          'FINAL(["CTX" in one, len(many)])',
        ),
      ],
    },
    holds: (played) => expect(answered(played)).toBe('[true, 2]'),
  },
  {
    says: 'With `seed={name: value}` a child also has `seed`.',
    script: {
      context: 'x',
      limits: { maxDepth: 2 },
      root: [cell('FINAL(rlm_query("q", "c", seed={"rows": [1, 2]}))')],
      sub: [cell('FINAL([seed["rows"], context])')],
    },
    holds: (played) => expect(answered(played)).toBe('[[1, 2], "c"]'),
  },
  {
    says: '`allm_query` and `arlm_query`',
    script: { context: 'x', root: [cell('FINAL([await allm_query("a"), "B" in await arlm_query("b", "c")])')] },
    holds: (played) => expect(answered(played)).toBe('["A", true]'),
  },
  {
    says: 'sub-calls for the whole task. A call over budget raises `BudgetExceeded`',
    script: {
      context: 'x',
      limits: { maxSubCalls: 1 },
      root: [
        cell(
          'kept = llm_query("a")',
          'try:',
          '    llm_query("b")',
          'except BudgetExceeded as error:',
          '    FINAL([kept, isinstance(error, LLMError)])',
        ),
      ],
    },
    holds: (played) => expect(answered(played)).toBe('["A", true]'),
  },
  {
    says: 'Values given with the task:',
    script: { context: 'x', tools: { rates: { eur: 2 } }, root: [cell('FINAL(rates["eur"])')] },
    holds: (played) => {
      expect(answered(played)).toBe('2');
      expect(promptOf(played.root, 0)).not.toContain('Values given');
      expect(played.root.requests[0]?.messages[0]?.content).toContain('- Values given with the task: `rates`.');
    },
  },
  {
    says: '`SHOW_VARS()` returns a list of your variables.',
    script: { context: 'x', root: [cell('mine = 1'), cell('FINAL(["mine" in SHOW_VARS(), len(history) > 0])')] },
    holds: (played) => expect(answered(played)).toBe('[true, true]'),
  },
  {
    says: 'labels many items: numbered batches, every number checked, missing ones asked again, disputed ones voted on.',
    script: {
      context: 'x',
      // The third of four items is missing at first, and then disputed.
      sub: [
        '1: a\n2: a\n4: b',
        '1: b',
        ...['1: a\n2: a\n3: a\n4: a', '1: b\n2: b\n3: b\n4: b'],
        ...Array.from({ length: 8 }, () => '1: a\n2: a\n3: a\n4: a'),
      ],
      root: [
        cell(
          'r = llm_map(["p", "q", "r", "s"], "Which?", labels=["a", "b"], votes=3)',
          'FINAL([len(r.values), sum(r.counts().values()), r.failed, len(r.disagreements) > 0])',
        ),
      ],
    },
    holds: (played) => expect(answered(played)).toBe('[4, 4, [], true]'),
  },
  {
    says: '`output=` takes a JSON Schema instead of labels; `dry_run=True` estimates calls, tokens and dollars.',
    script: {
      context: 'x',
      options: { prices: { 'scripted/sub': { input: 1, output: 2 } } },
      sub: ['1: 7\n2: "seven"', '1: 8'],
      root: [
        cell(
          'plan = llm_map(["p", "q"], "How many?", output={"type": "integer"}, dry_run=True)',
          'FINAL([plan["calls"], plan["cost_usd"] > 0, plan["cost_usd"] < 0.01, llm_map(["p", "q"], "How many?", output={"type": "integer"}).values])',
        ),
      ],
    },
    holds: (played) => expect(answered(played)).toBe('[1, true, true, [7, 8]]'),
  },
  {
    says: '`llm_filter(items, condition)` gives the items for which a condition in words holds.',
    script: {
      context: 'x',
      sub: ['1: yes\n2: no'],
      root: [cell('FINAL(llm_filter(["p", "q"], "it is good"))')],
    },
    holds: (played) => expect(answered(played)).toBe('["p"]'),
  },
  {
    says: '`llm_reduce(texts, instruction)` answers about many texts in rounds, down to one reply.',
    script: {
      context: 'x',
      sub: ({ prompt }) => `sum of ${prompt.length}`,
      root: [cell('FINAL([llm_reduce(["p" * 60] * 4, "Sum up", size=150), llm_reduce(["p", "q"], "Sum up")])')],
    },
    holds: (played) => {
      expect(played.sub.requests).toHaveLength(3 + 1);
      expect(answered(played)).toMatch(/^\["sum of \d+", "sum of \d+"\]$/);
    },
  },
  {
    says: '`llm_extract(text, schema)` gives all values that fit a JSON Schema, each with its quote and its `start` and `end`.',
    script: {
      context: 'It costs 5 pounds.',
      sub: ['[{"quote": "5 pounds", "value": 5}]'],
      root: [
        cell(
          'found = llm_extract(context, {"type": "integer"})[0]',
          'FINAL([found["value"], found["quote"], context[found["start"]:found["end"]]])',
        ),
      ],
    },
    holds: (played) => expect(answered(played)).toBe('[5, "5 pounds", "5 pounds"]'),
  },
  {
    says: 'gives pieces `{start, end, text}` that cover a text.',
    script: {
      context: 'one\ntwo\nthree',
      root: [
        cell(
          "pieces = chunks(context, 6, 0, by='lines')",
          'FINAL(["".join(p["text"] for p in pieces) == context, len(pieces) > 1])',
        ),
      ],
    },
    holds: (played) => expect(answered(played)).toBe('[true, true]'),
  },
  {
    says: '`search(pattern or list of words)` gives hits `{start, end, match, snippet}` in `context`: of words, best passages first.',
    script: {
      context: `one\n${'a line about the sea\n'.repeat(200)}two\none, two and three\n`,
      root: [
        cell(
          'best = search(["THREE", "one"])',
          'FINAL([[h["match"] for h in search("t.o")], [h["match"] for h in best], context[best[0]["start"]:best[0]["end"]]])',
        ),
      ],
    },
    holds: (played) => expect(answered(played)).toBe('[["two", "two"], ["one", "three", "one"], "one"]'),
  },
  {
    says: '`llm_query(prompt, images=[…])` also sends up to 16 PNG or JPEG images: bytes, documents of the context, PIL or matplotlib figures.',
    script: {
      context: 'x',
      root: [
        cell(
          `png = bytes.fromhex("${Buffer.from(png(8, 8)).toString('hex')}")`,
          'FINAL(llm_query("how many?", images=[png] * 16))',
        ),
      ],
    },
    holds: (played) => expect(played.sub.requests[0]?.images).toHaveLength(16),
  },
  {
    says: '`show(image)` shows you an image in the next message.',
    script: {
      context: 'x',
      root: [cell(`show(bytes.fromhex("${Buffer.from(png(8, 8)).toString('hex')}"))`), cell('FINAL(1)')],
    },
    holds: (played) => {
      expect(played.root.requests[1]?.images).toHaveLength(1);
      expect(promptOf(played.root, 1)).toContain('| Image 1 of this message: image/png, 8 × 8, 33 bytes');
    },
  },
  {
    says: '`context_index.search(words, k=10)` gives the passages of `context` that match some words best (BM25): `{score, start, end, text}`.',
    script: {
      context: `${'a line about the sea\n'.repeat(200)}the whale is white\n${'a line about the sea\n'.repeat(200)}`,
      root: [
        cell(
          'found = context_index.search("white whale", k=3)',
          'best = found[0]',
          'FINAL([len(found), "whale" in best["text"], context[best["start"]:best["end"]] == best["text"], best["score"] > 0])',
        ),
      ],
    },
    holds: (played) => expect(answered(played)).toBe('[1, true, true, true]'),
  },
  {
    says: '`sql("select … where x > ?", 5)` queries tables of the context, and your lists of dicts by name, with SQLite; `sql.tables()` lists them.',
    script: {
      context: [{ x: 4 }, { x: 6 }, { x: 9 }],
      root: [
        cell(
          'mine = [{"x": 9, "of": "nine"}]',
          'FINAL([sql("select x from context where x > ? order by x", 5), sql("select m.of from context c join mine m on m.x = c.x"), sql.tables()])',
        ),
      ],
    },
    holds: (played) => expect(answered(played)).toBe('[[{"x": 6}, {"x": 9}], [{"of": "nine"}], []]'),
  },
  {
    says: 'Its window is not known: keep a prompt below 100000 characters.',
    script: { context: 'x', root: [cell('FINAL(len(llm_query("p" * 99_999)))')] },
    holds: (played) => expect(answered(played)).toBe('99999'),
  },
  {
    says: 'The same prompt asked twice is sent twice.',
    script: { context: 'x', root: [cell('replies = llm_query_batched(["same", "same"])', 'FINAL(len(replies))')] },
    holds: (played) => expect(played.sub.requests).toHaveLength(2),
  },
];
