"""Texts of the host that are read piece by piece, and behave as the `str` that they stand for."""

from .own import own_builtins as __builtins__

import re
from collections.abc import Callable, Iterator
from itertools import islice
from operator import index as index_of

from .lazy_items import Lazy, length_of
from .paging import Pages
from .projected_file import ProjectedFile
from .queried import Queried, hit

#: Characters of a page, and of the longest part of a read in order.
_PAGE = 16 * 1024
_MOST = 1024 * 1024
#: Characters of a match that is found for certain.
_OVERLAP = 64 * 1024
#: Characters before a window that anchors, lookbehinds and snippets see.
_BEFORE = 4 * 1024
#: Characters up to which methods that need all of the text read all of it.
_WHOLE = 16 * 1024 * 1024
#: Characters up to which `splitlines` makes its list.
_LISTED = 64 * 1024 * 1024
_STR_METHODS = frozenset(name for name in dir(str) if not name.startswith("_"))


class ProjectedText(Queried, Lazy):
    """A text read on demand: slices, `in`, comparison, iteration, the methods of `str`, and `open()`."""

    _plain_type = str

    def __init__(self, source, query: Callable, query_batched: Callable) -> None:
        self._reads = source
        self._query = query
        self._query_batched = query_batched
        self._text_pages = Pages(source, _PAGE, _MOST)

    def _length(self) -> int:
        return self._reads.length()

    def __getitem__(self, key):
        if isinstance(key, slice):
            start, stop, step = key.indices(self._length())
            if step == 1:
                return self._slice(start, stop)
            wanted = range(start, stop, step)
            if not wanted:
                return ""
            first, last = min(wanted[0], wanted[-1]), max(wanted[0], wanted[-1])
            return self._slice(first, last + 1)[:: 1 if step > 0 else -1][:: abs(step)]
        index = index_of(key)
        length = self._length()
        index += length if index < 0 else 0
        if not 0 <= index < length:
            raise IndexError("text index out of range")
        return self._slice(index, index + 1)

    def _slice(self, start: int, stop: int) -> str:
        self._check_fits(stop - start)
        return "".join(self._text_pages.span(start, stop))

    def _stream(self, start: int = 0, stop: "int | None" = None) -> "Iterator[str]":
        return self._text_pages.stream(start, self._length() if stop is None else stop)

    def __iter__(self) -> Iterator[str]:
        for part in self._stream():
            yield from part

    def __reversed__(self) -> Iterator[str]:
        for part in self._backwards(0, self._length()):
            yield from reversed(part)

    def _backwards(self, start: int, stop: int) -> Iterator[str]:
        """Parts of the text, the last one first."""
        while start < stop:
            begin = max(start, stop - _MOST)
            yield self._slice(begin, stop)
            stop = begin

    def __contains__(self, wanted: object) -> bool:
        if not isinstance(wanted, str):
            raise TypeError("'in <text>' requires a str")
        return self.find(wanted) >= 0

    def find(self, wanted: str, start: "int | None" = None, end: "int | None" = None) -> int:
        """The first position of `wanted`, or -1, as `str.find`."""
        return next(self._places(wanted, start, end), -1)

    def index(self, wanted: str, start: "int | None" = None, end: "int | None" = None) -> int:
        """The first position of `wanted`, as `str.index`."""
        return found_or_raise(self.find(wanted, start, end))

    def count(self, wanted: str, start: "int | None" = None, end: "int | None" = None) -> int:
        """The number of occurrences of `wanted` that do not overlap, as `str.count`."""
        return sum(1 for _ in self._places(wanted, start, end))

    def _places(self, wanted: str, start: "int | None", end: "int | None") -> Iterator[int]:
        """The positions of `wanted` that do not overlap."""
        if not isinstance(wanted, str):
            raise TypeError(f"must be str, not {type(wanted).__name__}")
        base, stop, _ = slice(start, end).indices(self._length())
        if not wanted:
            yield from range(base if start is None or start <= self._length() else stop + 1, stop + 1)
            return
        window = ""
        for part in self._stream(base, stop):
            window += part
            done = 0
            while (found := window.find(wanted, done)) >= 0:
                yield base + found
                done = found + len(wanted)
            done = max(done, len(window) - len(wanted) + 1)
            base += done
            window = window[done:]

    def rfind(self, wanted: str, start: "int | None" = None, end: "int | None" = None) -> int:
        """The last position of `wanted`, or -1, as `str.rfind`."""
        if not isinstance(wanted, str):
            raise TypeError(f"must be str, not {type(wanted).__name__}")
        first, at, _ = slice(start, end).indices(self._length())
        if not wanted:
            return at if first <= at and (start is None or start <= self._length()) else -1
        window = ""
        for part in self._backwards(first, at):
            window = part + window[: len(wanted) - 1]
            at -= len(part)
            found = window.rfind(wanted)
            if found >= 0:
                return at + found
        return -1

    def rindex(self, wanted: str, start: "int | None" = None, end: "int | None" = None) -> int:
        """The last position of `wanted`, as `str.rindex`."""
        return found_or_raise(self.rfind(wanted, start, end))

    def startswith(self, wanted: "str | tuple[str, ...]", start: int = 0, end: "int | None" = None) -> bool:
        """As `str.startswith`."""
        first, stop, _ = slice(start, end).indices(self._length())
        return self._slice(first, min(stop, first + longest(wanted))).startswith(wanted)

    def endswith(self, wanted: "str | tuple[str, ...]", start: int = 0, end: "int | None" = None) -> bool:
        """As `str.endswith`."""
        first, stop, _ = slice(start, end).indices(self._length())
        return self._slice(max(first, stop - longest(wanted)), stop).endswith(wanted)

    def peek(self, start: int = 0, end: "int | None" = 1000) -> str:
        return self[start:end]

    def search(self, pattern: str, max_hits: int = 100) -> list[dict]:
        """Matches in order; `index` counts them. A match longer than 64 Ki characters may be missed."""
        return list(islice(self.finditer(pattern), max_hits)) if max_hits > 0 else []

    def finditer(self, pattern: "str | re.Pattern", flags: int = 0) -> Iterator[dict]:
        """All matches one by one, as `search` gives them: `re.finditer` takes no text that is read on demand."""
        compiled = re.compile(pattern, flags)
        base = done = count = 0
        text, stream, length = "", self._stream(), self._length()
        while True:
            text += next(stream, "")
            at_end = base + len(text) >= length
            limit = base + len(text) - (0 if at_end else _OVERLAP)
            for found in compiled.finditer(text, max(done - base, 0)) if limit > base else ():
                if base + found.start() >= limit and not at_end:
                    break
                yield hit(count, base, text, found)
                count += 1
                done = base + found.end()
            if at_end:
                return
            done = max(done, limit)
            cut = max(0, limit - base - _BEFORE)
            text, base = text[cut:], base + cut

    def open(self) -> ProjectedFile:
        """The text as a file that is open for reading: `for line in text.open()`, `csv.reader(text.open())`."""
        return ProjectedFile(self)

    def splitlines(self, keepends: bool = False) -> list[str]:
        """As `str.splitlines`. An OverflowError for a text whose lines would fill the REPL."""
        if self._length() > _LISTED:
            raise OverflowError(
                f"the lines of {self._length()} characters are too many for one list: use `for line in text.open()`, "
                "or text.lines where it has them, which is read on demand"
            )
        return str(self).splitlines(keepends)

    def plain(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return self._slice(0, self._length())

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __hash__(self) -> int:
        return hash(str(self))

    def _first_difference(self, other) -> "tuple[str, str] | None":
        for start in range(0, max(self._length(), length_of(other)), _MOST):
            mine, theirs = self[start : start + _MOST], other[start : start + _MOST]
            if mine != theirs:
                return mine, theirs
        return None

    def __getattr__(self, name: str):
        if name not in _STR_METHODS:
            raise AttributeError(f"a projected text has no attribute {name!r}")
        if self._length() > _WHOLE:
            raise AttributeError(
                f"a projected text of more than {_WHOLE} characters has no {name}(): use it on a slice, or on "
                "the lines of text.open()"
            )
        return getattr(str(self), name)

    def __repr__(self) -> str:
        return f"<projected text of {self._length()} characters: slice it, or use find, search, chunk, open>"


def found_or_raise(position: int) -> int:
    """Returns the position that a search found. Raises ValueError for -1, which says that it found nothing."""
    if position < 0:
        raise ValueError("substring not found")
    return position


def longest(wanted: "str | tuple[str, ...]") -> int:
    """Characters of the longest of the texts."""
    return max(map(len, wanted), default=0) if isinstance(wanted, tuple) else len(wanted)


ProjectedText.__module__ = "builtins"
