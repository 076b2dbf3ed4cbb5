"""`search`: a pattern in order of position, words by the rank of the passages they are in."""

import json
import random
import unittest
from contextlib import redirect_stdout
from io import StringIO

from fathom_guest import context_index, word_search
from fathom_guest.context_index import ContextIndex

from .fake_host import LIMITS, FakeHost

SEA = "The sea was calm and nothing happened for the whole day.\n" * 60


class WordSearchTest(unittest.TestCase):
    def setUp(self):
        self.host = FakeHost()
        self.host.command({"op": "hello", "limits": {**LIMITS, "outputBytes": 1_000_000}})
        self.addCleanup(self.host.close)

    def printed(self, code: str) -> "list[str]":
        result = self.host.run(f"import json\n{code}")
        self.assertTrue(result.header["ok"], result.parts)
        return bytes(result.output["stdout"]).decode().splitlines()

    def value(self, code: str) -> object:
        return json.loads(self.printed(code)[-1])

    def test_a_pattern_is_found_in_order_of_position(self):
        code = (
            f"text = {SEA!r} + 'One whale. ' + {SEA!r} + 'A whale, a white whale!'\n"
            "hits = search(r'(?i)whale', text)\n"
            "print(json.dumps([[h['start'] for h in hits] == sorted(h['start'] for h in hits), len(hits),"
            " 'score' in hits[0], [h['start'] for h in search(r'a+', 'xaaya')]]))"
        )
        self.assertEqual(self.value(code), [True, 3, False, [1, 4]])

    def test_words_are_found_by_the_rank_of_their_passages(self):
        code = (
            f"text = 'One white flag.\\n' + {SEA!r} + 'A whale, a white whale!\\n' + {SEA!r} + 'The white.'\n"
            "hits = search(['WHITE', 'whale'], text)\n"
            "assert all(text[h['start']:h['end']] == h['match'] and h['match'] in h['snippet'] for h in hits)\n"
            "scores = [h['score'] for h in hits]\n"
            "print(json.dumps([[h['match'] for h in hits[:3]], scores == sorted(scores, reverse=True), len(hits),"
            " [h['index'] for h in hits], [h['match'] for h in search(['white', 'whale'], text, max_hits=1)]]))"
        )
        self.assertEqual(self.value(code), [["whale", "white", "whale"], True, 5, [0, 1, 2, 3, 4], ["whale"]])

    def test_the_order_is_that_of_the_index_and_no_match_is_lost(self):
        chance = random.Random(3)
        words = [f"w{number}" for number in range(400)]
        text = "".join(chance.choice(words) + chance.choice(" \n-_") for _ in range(30_000))
        index = ContextIndex(text)
        search = word_search.make_search(lambda: text, index)["search"]
        for _ in range(5):
            wanted = chance.sample(words, 2)
            hits = search(wanted, max_hits=10_000)
            in_order = search(rf"(?<!\w)(?:{'|'.join(wanted)})(?!\w)", max_hits=10_000)
            self.assertGreater(len(hits), 20)
            self.assertEqual(sorted((h["start"], h["end"]) for h in hits), [(h["start"], h["end"]) for h in in_order])
            passages = index.search(wanted, 10_000)
            ranks = [
                next((n for n, p in enumerate(passages) if p["start"] <= h["start"] < p["end"]), len(passages))
                for h in hits
            ]
            self.assertEqual(ranks, sorted(ranks))

    def test_a_word_across_two_passages_is_found(self):
        text = "." * 1495 + " whaling ship " + "." * 1500
        search = word_search.make_search(lambda: text, ContextIndex(text))["search"]
        self.assertEqual([h["start"] for h in search(["whaling"])], [1496])
        self.assertEqual(search(["whali", "whal"]), [])

    def test_words_match_whole_and_in_any_case(self):
        code = (
            "print(json.dumps([[(h['document'], h['match']) for h in"
            " search(['Cat', 'dog'], {'one': 'a cat, concat', 'two': 'DOG'})],"
            " [h['match'] for h in search(['C++', 'two words'], 'C++ and two words, two  words')],"
            " [h['start'] for h in search(['東京', 'AI'], '私は東京のAIに行く AIR')]]))"
        )
        self.assertEqual(self.value(code), [[["two", "DOG"], ["one", "cat"]], ["C++", "two words"], [2, 5]])

    def test_a_changed_list_and_another_text_are_indexed_again(self):
        code = (
            "texts = ['one cat', 'two dogs']\n"
            "import fathom\n"
            "index = fathom.ContextIndex(texts)\n"
            "before = len(index.search('horse'))\n"
            "texts.append('a horse')\n"
            "print(json.dumps([before, index.search('horse')[0]['document'],"
            " [len(search(['cat'], text)) for text in ('a cat', 'cat cat', 'a dog', 'cat cat')]]))"
        )
        self.assertEqual(self.value(code), [0, "[2]", [1, 2, 0, 2]])

    def test_what_is_too_large_to_rank_is_found_in_order_with_a_note(self):
        self.addCleanup(setattr, context_index, "MOST_CHARS", context_index.MOST_CHARS)
        text = "one whale, " + SEA + " a white whale"
        search = word_search.make_search(lambda: text, ContextIndex(text))["search"]
        self.assertEqual([h["match"] for h in search(["white", "whale"])], ["white", "whale", "whale"])
        context_index.MOST_CHARS = 1_000
        printed = StringIO()
        with redirect_stdout(printed):
            found = search(["white", "whale"], [text])
        self.assertIn("in order of position", printed.getvalue())
        self.assertEqual([h["match"] for h in found], ["whale", "white", "whale"])

    def test_bad_arguments(self):
        for call, error in (
            ("search([], 'x')", "ValueError"),
            ("search([''], 'x')", "ValueError"),
            ("search([1], 'x')", "TypeError"),
            ("search(5, 'x')", "TypeError"),
        ):
            result = self.host.run(call)
            self.assertEqual(result.header.get("error", {}).get("type"), error, call)


if __name__ == "__main__":
    unittest.main()
