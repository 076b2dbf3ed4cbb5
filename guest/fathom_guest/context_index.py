"""`context_index`: passages of the context, ranked by how well they match some words (BM25)."""

from .own import own_builtins as __builtins__

import heapq
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from math import log

from .json_values import text_of
from .lazy_items import Lazy
from .pieces import parts_of
from .projection import ProjectedList, ProjectedMapping
from .queried import Queried, chunk_text

#: Characters of a passage at most: a few paragraphs, which one prompt can hold many of.
_PASSAGE = 1_500
#: Characters of a context that are indexed: half a minute to build, and some 600 MB of memory.
MOST_CHARS = 64_000_000
#: The usual constants of BM25 (Robertson and Zaragoza 2009, §3.5).
_K1, _B = 1.2, 0.75
#: Signs of scripts without blanks between words, as part of a character class.
JOINED_SIGNS = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
#: A word; of scripts without blanks between words, each sign.
_WORD = re.compile(f"[{JOINED_SIGNS}]|[^\\W_{JOINED_SIGNS}]+")


def words_in(text: str) -> "list[str]":
    """The words of a text, without case."""
    return _WORD.findall(text.casefold())


def parts_by_item(value: object) -> "Iterator[tuple[str | None, object]]":
    """The texts of a context; those of a projected list or mapping one by one, as those of a plain one."""
    for path, part in parts_of(value):
        if isinstance(part, ProjectedList):
            items: "Iterable[tuple[str, object]]" = ((f"[{number}]", item) for number, item in enumerate(part))
        elif isinstance(part, ProjectedMapping):
            items = part.items()
        else:
            yield path, part
            continue
        for key, item in items:
            yield (key if path is None else f"{path}: {key}"), text_of(item)


def _texts_of(context: object) -> "list[tuple[str | None, str]] | None":
    """The texts to index, each with the path of its document. None for too many characters."""
    texts: "list[tuple[str | None, str]]" = []
    chars = 0
    for path, part in parts_by_item(context):
        chars += part.size if isinstance(part, Lazy) else len(part)
        if chars > MOST_CHARS:
            return None
        texts.append((path, part.peek(0, None) if isinstance(part, Queried) else part))
    return texts


class _Built:
    """An index of some texts."""

    def __init__(self, texts: "list[tuple[str | None, str]]") -> None:
        self.texts = texts
        #: By passage: its text, its place there, and its words.
        self._text_of, self._starts, self._ends, self._lengths = array("L"), array("Q"), array("Q"), array("L")
        #: By word: passages, and how often each has it.
        self._postings: "dict[str, tuple[array, array]]" = {}
        for which, (_, text) in enumerate(texts):
            for piece in chunk_text(text, _PASSAGE, 0, "lines"):
                self._add(which, piece)
        self._average = sum(self._lengths) / max(1, len(self._lengths))

    def _add(self, which: int, piece: dict) -> None:
        number = len(self._starts)
        counts = Counter(words_in(piece["text"]))
        self._text_of.append(which)
        self._starts.append(piece["start"])
        self._ends.append(piece["end"])
        self._lengths.append(sum(counts.values()))
        for word, count in counts.items():
            numbers, times = self._postings.setdefault(word, (array("L"), array("L")))
            numbers.append(number)
            times.append(count)

    def best(self, words: "list[str]", k: int) -> "Iterator[dict]":
        """The passages with the highest scores, best first."""
        scores = self._scores(words)
        for number in heapq.nsmallest(k, scores, key=lambda number: (-scores[number], number)):
            found = self._passage(number, scores[number])
            path, start, end = found["path"], found["start"], found["end"]
            shown = {"score": found["score"], "start": start, "end": end, "text": found["whole"][start:end]}
            yield shown if path is None else {**shown, "document": path}

    def ranked(self, words: "list[str]") -> "Iterator[dict]":
        """All passages, best first; those without any of the words last, in their order."""
        scores = self._scores(words)
        for number in sorted(scores, key=lambda number: (-scores[number], number)):
            yield self._passage(number, scores[number])
        for number in range(len(self._starts)):
            if number not in scores:
                yield self._passage(number, 0.0)

    def _scores(self, words: "list[str]") -> "dict[int, float]":
        scores: "dict[int, float]" = {}
        total, average = len(self._starts), self._average or 1.0
        for word in dict.fromkeys(words):
            numbers, times = self._postings.get(word, ((), ()))
            rarity = log(1 + (total - len(numbers) + 0.5) / (len(numbers) + 0.5))
            for number, count in zip(numbers, times):
                long = 1 - _B + _B * self._lengths[number] / average
                scores[number] = scores.get(number, 0.0) + rarity * count * (_K1 + 1) / (count + _K1 * long)
        return scores

    def _passage(self, number: int, score: float) -> dict:
        path, text = self.texts[self._text_of[number]]
        return {
            "score": round(score, 4),
            "path": path,
            "whole": text,
            "start": self._starts[number],
            "end": self._ends[number],
        }


class ContextIndex:
    """Passages of a context by words: `search("words", k)`. The index is built by the first search."""

    def __init__(self, context: object = None, *, _bound: "Callable[[], object] | None" = None) -> None:
        #: The context that is indexed.
        self.of = _bound if _bound is not None else lambda: context
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
        built = self._index()
        if built is None:
            raise ValueError(
                f"the context has more than {MOST_CHARS} characters: use search(pattern), or index a part of it "
                "with fathom.ContextIndex(part)"
            )
        return list(built.best(wanted, k))

    def ranked(self, words: str) -> "Iterator[dict] | None":
        """All passages, best first: `{score, path, whole, start, end}`. None for a context that is too large."""
        built = self._index()
        return None if built is None else built.ranked(words_in(words))

    def _index(self) -> "_Built | None":
        context = self.of()
        if self._built is not None and self._built[0] is context:
            # A cell may have changed a plain list or dict since.
            if type(context) not in (list, dict) or _texts_of(context) == self._built[1].texts:
                return self._built[1]
        texts = _texts_of(context)
        self._built = None if texts is None else (context, _Built(texts))
        return None if self._built is None else self._built[1]

    def __repr__(self) -> str:
        return "<index of the context: context_index.search(words, k)>"


ContextIndex.__module__ = "fathom"
