"""`context_index`: passages of the context, ranked by how well they match some words (BM25)."""

from .own import own_builtins as __builtins__

import heapq
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from math import log

from .pieces import parts_of
from .queried import Queried, chunk_text

#: Characters of a passage at most: a few paragraphs, which one prompt can hold many of.
_PASSAGE = 1_500
#: Characters of a context that are indexed: half a minute to build, and some 600 MB of memory.
_MOST_CHARS = 64_000_000
#: The usual constants of BM25 (Robertson and Zaragoza 2009, §3.5).
_K1, _B = 1.2, 0.75
#: A word; of scripts without blanks between words, each sign.
_WORD = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")


def words_in(text: str) -> "list[str]":
    """The words of a text, without case."""
    return _WORD.findall(text.casefold())


class _Built:
    """An index of one context."""

    def __init__(self, context: object) -> None:
        #: The texts of the context, each with the path of its document.
        self._texts: "list[tuple[str | None, str]]" = []
        #: By passage: its text, its place there, and its words.
        self._text_of, self._starts, self._ends, self._lengths = array("L"), array("Q"), array("Q"), array("L")
        #: By word: passages, and how often each has it.
        self._postings: "dict[str, tuple[array, array]]" = {}
        chars = 0
        for path, part in parts_of(context):
            text = part.peek(0, None) if isinstance(part, Queried) else part
            chars += len(text)
            if chars > _MOST_CHARS:
                raise ValueError(
                    f"the context has more than {_MOST_CHARS} characters: use search(pattern), or index a part of it "
                    "with fathom.ContextIndex(part)"
                )
            self._texts.append((path, text))
            for piece in chunk_text(text, _PASSAGE, 0, "lines"):
                self._add(piece)
        self._average = sum(self._lengths) / max(1, len(self._lengths))

    def _add(self, piece: dict) -> None:
        number = len(self._starts)
        counts = Counter(words_in(piece["text"]))
        self._text_of.append(len(self._texts) - 1)
        self._starts.append(piece["start"])
        self._ends.append(piece["end"])
        self._lengths.append(sum(counts.values()))
        for word, count in counts.items():
            numbers, times = self._postings.setdefault(word, (array("L"), array("L")))
            numbers.append(number)
            times.append(count)

    def best(self, words: "list[str]", k: int) -> "Iterator[dict]":
        """The passages with the highest scores, best first."""
        scores: "dict[int, float]" = {}
        total, average = len(self._starts), self._average or 1.0
        for word in dict.fromkeys(words):
            numbers, times = self._postings.get(word, ((), ()))
            rarity = log(1 + (total - len(numbers) + 0.5) / (len(numbers) + 0.5))
            for number, count in zip(numbers, times):
                long = 1 - _B + _B * self._lengths[number] / average
                scores[number] = scores.get(number, 0.0) + rarity * count * (_K1 + 1) / (count + _K1 * long)
        for number, score in heapq.nlargest(k, scores.items(), key=lambda item: (item[1], -item[0])):
            path, text = self._texts[self._text_of[number]]
            start, end = self._starts[number], self._ends[number]
            found = {"score": round(score, 4), "start": start, "end": end, "text": text[start:end]}
            yield found if path is None else {**found, "document": path}


class ContextIndex:
    """Passages of a context by words: `search("words", k)`. The index is built by the first search."""

    def __init__(self, context: object = None, *, _bound: "Callable[[], object] | None" = None) -> None:
        self._of = _bound if _bound is not None else lambda: context
        self._built: "tuple[object, _Built] | None" = None

    def search(self, words: "str | list[str]", k: int = 10) -> "list[dict]":
        """The `k` passages that match best: `{score, start, end, text}`; of documents with `document`."""
        if not isinstance(words, str):
            words = " ".join(words)
        wanted = words_in(words)
        if not wanted:
            raise ValueError("search needs at least one word")
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise ValueError(f"k must be a whole number above 0, not {k!r}")
        context = self._of()
        if self._built is None or self._built[0] is not context:
            self._built = context, _Built(context)
        return list(self._built[1].best(wanted, k))

    def __repr__(self) -> str:
        return "<index of the context: context_index.search(words, k)>"


ContextIndex.__module__ = "fathom"
