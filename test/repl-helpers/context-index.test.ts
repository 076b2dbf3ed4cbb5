/** `context_index`: passages by words, with offsets, over every kind of context, on both backends. */
import { describe, expect, it, vi } from 'vitest';
import { contexts, createRlm, projected } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell } from '../engine/harness.ts';
import { onEachBackend } from '../session/on-each-backend.ts';

vi.setConfig({ testTimeout: 90_000 });

const SEA = 'The sea was calm and nothing happened for the whole day.\n'.repeat(100);
const NOVEL = `${SEA}Then the white whale rose.\n${SEA}A whale, they said, a whale!\n${SEA}`;

await onEachBackend(({ repl }) => {
  async function answerTo(context: unknown, ...lines: string[]): Promise<unknown> {
    const rlm = createRlm({ repl, model: scriptedModel([cell(...lines)]) });
    try {
      return JSON.parse((await rlm.completion({ query: 'q', context: context as string })).answer ?? '');
    } finally {
      await rlm.close();
    }
  }

  describe('context_index', () => {
    it('finds passages of a text, best first, with their places', async () => {
      const found = await answerTo(
        NOVEL,
        'hits = context_index.search("the WHITE whale", 2)',
        'assert all(context[h["start"]:h["end"]] == h["text"] for h in hits)',
        'FINAL([["white" in h["text"] for h in hits], hits[0]["score"] > hits[1]["score"], len(context_index.search(["whale"]))])',
      );
      expect(found).toEqual([[true, false], true, 2]);
    });

    it('reads named and projected contexts, and says which it was', async () => {
      const text = { length: () => NOVEL.length, slice: (start: number, stop: number) => NOVEL.slice(start, stop) };
      const found = await answerTo(
        contexts({ log: projected({ text }), notes: ['no such animal', 'a whale in a list'] }),
        'FINAL(sorted({h["document"] for h in context_index.search("whale")}))',
      );
      expect(found).toEqual(['log', 'notes: [1]']);
    });

    it('ranks the matches of `search` for words, also in projected texts and lists', async () => {
      const text = { length: () => NOVEL.length, slice: (start: number, stop: number) => NOVEL.slice(start, stop) };
      const rows = ['no such animal', 'a white whale in a long, long list', 'white'];
      const list = { length: () => rows.length, slice: (start: number, stop: number) => rows.slice(start, stop) };
      const found = await answerTo(
        contexts({ log: projected({ text }), list: projected({ list }) }),
        'words = search(["white", "whale"])',
        'assert all(context["log"][h["start"]:h["end"]] == h["match"] for h in words if h["document"] == "log")',
        'FINAL([[[h["document"], h["match"]] for h in words], [h["document"] for h in search("wh[ai]")]])',
      );
      expect(found).toEqual([
        [
          ['list: [1]', 'white'],
          ['list: [1]', 'whale'],
          ['log', 'white'],
          ['log', 'whale'],
          ['list: [2]', 'white'],
          ['log', 'whale'],
          ['log', 'whale'],
        ],
        ['log', 'log', 'log', 'log', 'list: [1]', 'list: [1]', 'list: [2]'],
      ]);
    });
  });
});
