"""`search`: matches of a pattern in order, and of words with the best passages first."""

from .own import own_builtins as __builtins__

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from .context_index import JOINED_SIGNS, MOST_CHARS, ContextIndex, parts_by_item
from .queried import Queried, hit

_JOINED = re.compile(f"[{JOINED_SIGNS}]")
#: A sign that belongs to the word beside it, which those of scripts without blanks do not.
_OF_WORD = rf"[^\W{JOINED_SIGNS}]"


def make_search(context: "Callable[[], object]", index: ContextIndex) -> "dict[str, Callable]":
    """The function bound for cells. `context` gives the context that is bound now, `index` is its index."""
    # The index of the last text that was searched instead of the context: texts do not change.
    held: "list[ContextIndex]" = []

    def index_of(value: object) -> ContextIndex:
        if value is context():
            return index
        if not isinstance(value, str):
            return ContextIndex(value)
        if not held or held[0].of() is not value:
            held[:] = [ContextIndex(value)]
        return held[0]

    def search(wanted, within=None, max_hits=100):
        """Matches of a regular expression, or of any of a list of words: `{index, start, end, match, snippet}`.

        Those of a pattern come in order. Those of words come from the passages that match all of them best, first,
        with the passage's `score`; words match whole and in any case. Of documents with `document`. Searches
        `context` by default.
        """
        value = context() if within is None else within
        if isinstance(wanted, (str, re.Pattern)):
            return _numbered(_in_order(wanted, value, max_hits), max_hits)
        words = list(wanted)
        if not words:
            raise ValueError("search needs a pattern or at least one word")
        pattern = re.compile("|".join(map(_whole, words)), re.IGNORECASE)
        passages = index_of(value).ranked(" ".join(words))
        if passages is None:
            print(f"search: hits in order of position, since more than {MOST_CHARS} characters are not ranked")
            return _numbered(_in_order(pattern, value, max_hits), max_hits)
        return _numbered(_in_passages(pattern, max(map(len, words)), passages), max_hits)

    return {"search": search}


def _whole(word: str) -> str:
    """The pattern of a word, which a longer word does not match."""
    if word == "":
        raise ValueError("search needs words that are not empty")
    before = "" if _JOINED.match(word[0]) else f"(?<!{_OF_WORD})"
    after = "" if _JOINED.match(word[-1]) else f"(?!{_OF_WORD})"
    return before + re.escape(word) + after


def _numbered(hits: "Iterable[dict]", most: int) -> "list[dict]":
    return [{**one, "index": number} for number, one in enumerate(islice(hits, max(0, most)))]


def _in_order(pattern: "str | re.Pattern", value: object, most: int) -> "Iterator[dict]":
    compiled = re.compile(pattern)
    for path, part in parts_by_item(value):
        if isinstance(part, Queried):
            found: "Iterable[dict]" = part.search(compiled, most)
        else:
            found = (hit(0, 0, part, match) for match in compiled.finditer(part))
        for one in found:
            yield one if path is None else {**one, "document": path}


def _in_passages(pattern: re.Pattern, longest: int, passages: "Iterable[dict]") -> "Iterator[dict]":
    """The matches that begin in each passage. `longest` is the length of the longest word."""
    for passage in passages:
        text, end = passage["whole"], passage["end"]
        # A match may end behind its passage, and sees the sign after it.
        for match in pattern.finditer(text, passage["start"], min(len(text), end + longest)):
            if match.start() >= end:
                break
            one = {**hit(0, 0, text, match), "score": passage["score"]}
            yield one if passage["path"] is None else {**one, "document": passage["path"]}
