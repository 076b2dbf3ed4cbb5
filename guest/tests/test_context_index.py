"""The index of the context: ranks, places, and when it is built."""

import random
import unittest
from math import log

from fathom_guest import context_index
from fathom_guest.context_index import ContextIndex, words_in


def reference(passages: "list[str]", wanted: "list[str]") -> "list[float]":
    """BM25 as it is written down, without an index."""
    words = [words_in(text) for text in passages]
    average = sum(map(len, words)) / len(words)
    scores = []
    for own in words:
        score = 0.0
        for word in dict.fromkeys(wanted):
            holding = sum(word in other for other in words)
            rarity = log(1 + (len(words) - holding + 0.5) / (holding + 0.5))
            times = own.count(word)
            score += rarity * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * len(own) / average))
        scores.append(score)
    return scores


class ContextIndexTest(unittest.TestCase):
    def test_scores_are_those_of_the_formula(self):
        chance = random.Random(7)
        vocabulary = [f"w{number}" for number in range(60)]
        texts = [" ".join(chance.choices(vocabulary, k=chance.randint(1, 80))) for _ in range(200)]
        index = ContextIndex(texts)
        for _ in range(20):
            wanted = chance.sample(vocabulary, 3)
            expected = sorted(reference(texts, wanted), reverse=True)[:10]
            found = index.search(" ".join(wanted))
            self.assertEqual([hit["score"] for hit in found], [round(score, 4) for score in expected if score > 0])

    def test_places_are_of_the_whole_text_and_passages_end_at_lines(self):
        text = "".join(f"line {number} says word{number % 50}\n" for number in range(5000))
        for hit in ContextIndex(text).search("word7", 20):
            self.assertEqual(text[hit["start"] : hit["end"]], hit["text"])
            self.assertTrue(hit["text"].endswith("\n"))
            self.assertIn("word7\n", hit["text"])

    def test_it_is_built_once_and_again_for_another_context(self):
        contexts = ["one cat", "two dogs"]
        index = ContextIndex(_bound=lambda: contexts[0])
        self.assertIsNone(index._built)
        self.assertEqual(len(index.search("cat")), 1)
        built = index._built[1]
        index.search("one")
        self.assertIs(index._built[1], built)
        contexts[0] = contexts[1]
        self.assertEqual((index.search("cat"), len(index.search("DOGS"))), ([], 1))

    def test_signs_without_blanks_are_words(self):
        self.assertEqual(words_in("Größe 東京は3.5"), ["grösse", "東", "京", "は", "3", "5"])
        self.assertEqual(len(ContextIndex(["東京に行く", "大阪に行く"]).search("東京")), 1)

    def test_bad_arguments_and_a_context_that_is_too_large(self):
        for words, k, error in (
            ("", 1, ValueError),
            ("—", 1, ValueError),
            ("a", 0, ValueError),
            ("a", "2", ValueError),
        ):
            self.assertRaises(error, ContextIndex("a").search, words, k)
        self.addCleanup(setattr, context_index, "MOST_CHARS", context_index.MOST_CHARS)
        context_index.MOST_CHARS = 10
        self.assertRaisesRegex(ValueError, "more than 10 characters", ContextIndex("a" * 11).search, "a")


if __name__ == "__main__":
    unittest.main()
