"""Projections: data of the host that is read piece by piece, as a lazy text, list or mapping."""

from .own import own_builtins as __builtins__

import re
import reprlib
from collections.abc import Callable, Iterator, Mapping
from operator import index as index_of

from .channel import Channel
from .json_values import text_of
from .lazy_items import Lazy, LazyItems, length_of
from .queried import Queried, Source, hit, peek_lines

_TEXT_PAGE = 1024 * 1024
_ITEM_PAGE = 200
_OVERLAP = 64 * 1024
#: Characters before a page that anchors, lookbehinds and snippets see.
_BEFORE = 4 * 1024
_STR_METHODS = frozenset(name for name in dir(str) if not name.startswith("_"))


class _Sized(Queried):
    """A projection with positions: the length is requested once, when the binding did not include it."""

    def __init__(self, source: Source, size: "int | None", query: Callable, query_batched: Callable) -> None:
        self._source = source
        self._size = size
        self._query = query
        self._query_batched = query_batched

    def _length(self) -> int:
        if self._size is None:
            self._size = self._source.read("length")
        return self._size


class ProjectedText(_Sized, Lazy):
    """A text read on demand: `len`, indices, slices, `in`, comparison, iteration over characters."""

    _plain_type = str

    def __getitem__(self, key):
        if isinstance(key, slice):
            start, stop, step = key.indices(self._length())
            if step == 1:
                return self._slice(start, stop)
            return self._slice(0, self._length())[key]
        index = index_of(key)
        length = self._length()
        index += length if index < 0 else 0
        if not 0 <= index < length:
            raise IndexError("text index out of range")
        return self._slice(index, index + 1)

    def _slice(self, start: int, stop: int) -> str:
        self._check_fits(stop - start)
        pieces = []
        while start < stop:
            end = min(stop, start + _TEXT_PAGE)
            pieces.append(self._source.read("slice", start=start, stop=end))
            start = end
        return "".join(pieces)

    def __iter__(self) -> Iterator[str]:
        for start in range(0, self._length(), _TEXT_PAGE):
            yield from self._slice(start, min(start + _TEXT_PAGE, self._length()))

    def __contains__(self, wanted: object) -> bool:
        if not isinstance(wanted, str):
            raise TypeError("'in <text>' requires a str")
        keep = max(len(wanted) - 1, 0)
        tail = ""
        for start in range(0, self._length(), _TEXT_PAGE):
            window = tail + self._slice(start, min(start + _TEXT_PAGE, self._length()))
            if wanted in window:
                return True
            tail = window[-keep:] if keep else ""
        return wanted == ""

    def find(self, wanted: str, start: int = 0, end: "int | None" = None) -> int:
        """The first position of `wanted`, or -1, as `str.find`."""
        return next(self._places(wanted, start, end), -1)

    def index(self, wanted: str, start: int = 0, end: "int | None" = None) -> int:
        """The first position of `wanted`, as `str.index`."""
        found = self.find(wanted, start, end)
        if found < 0:
            raise ValueError("substring not found")
        return found

    def count(self, wanted: str, start: int = 0, end: "int | None" = None) -> int:
        """The number of occurrences of `wanted` that do not overlap, as `str.count`."""
        return sum(1 for _ in self._places(wanted, start, end))

    def _places(self, wanted: str, start: int, end: "int | None") -> Iterator[int]:
        """The positions of `wanted`, read in pages that overlap by its length."""
        if not isinstance(wanted, str):
            raise TypeError(f"must be str, not {type(wanted).__name__}")
        at, stop, _ = slice(start, end).indices(self._length())
        while at + len(wanted) <= stop:
            page = min(at + _TEXT_PAGE, stop)
            text = self._slice(at, min(page + max(len(wanted) - 1, 0), stop))
            found, following = text.find(wanted), 0
            while 0 <= found and (at + found < page or page == stop):
                yield at + found
                following = found + max(len(wanted), 1)
                found = text.find(wanted, following)
            if page == stop:
                return
            at = max(page, at + following)

    def peek(self, start: int = 0, end: "int | None" = 1000) -> str:
        return self[start:end]

    def plain(self) -> str:
        return str(self)

    def search(self, pattern: str, max_hits: int = 100) -> list[dict]:
        """Matches in order; `index` counts them. A match longer than 64 Ki characters may be missed."""
        compiled = re.compile(pattern)
        hits: list[dict] = []
        length, start, done = self._length(), 0, 0
        while len(hits) < max_hits:
            stop = min(start + _TEXT_PAGE, length)
            before = max(0, start - _BEFORE)
            text = self._slice(before, min(stop + _OVERLAP, length))
            for found in compiled.finditer(text, max(start, done) - before):
                if len(hits) >= max_hits or (before + found.start() >= stop and stop < length):
                    break
                hits.append(hit(len(hits), before, text, found))
                done = before + found.end()
            if stop >= length:
                break
            start = stop
        return hits

    def __str__(self) -> str:
        return self._slice(0, self._length())

    def __hash__(self) -> int:
        return hash(str(self))

    def _first_difference(self, other) -> "tuple[str, str] | None":
        for start in range(0, max(self._length(), length_of(other)), _TEXT_PAGE):
            mine, theirs = self[start : start + _TEXT_PAGE], other[start : start + _TEXT_PAGE]
            if mine != theirs:
                return mine, theirs
        return None

    def __reversed__(self) -> Iterator[str]:
        for stop in range(self._length(), 0, -_TEXT_PAGE):
            yield from reversed(self._slice(max(0, stop - _TEXT_PAGE), stop))

    def startswith(self, wanted: "str | tuple[str, ...]", start: int = 0, end: "int | None" = None) -> bool:
        """As `str.startswith`."""
        first, stop, _ = slice(start, end).indices(self._length())
        return self._slice(first, min(stop, first + longest(wanted))).startswith(wanted)

    def endswith(self, wanted: "str | tuple[str, ...]", start: int = 0, end: "int | None" = None) -> bool:
        """As `str.endswith`."""
        first, stop, _ = slice(start, end).indices(self._length())
        return self._slice(max(first, stop - longest(wanted)), stop).endswith(wanted)

    def __getattr__(self, name: str):
        if name in _STR_METHODS:
            raise AttributeError(
                f"a projected text has no {name}(): use it on a slice, or on str(text), which reads all of it"
            )
        raise AttributeError(f"a projected text has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"<projected text of {self._length()} characters: slice it, or use peek, search, chunk>"


def longest(wanted: "str | tuple[str, ...]") -> int:
    """Characters of the longest of the texts."""
    return max(map(len, wanted), default=0) if isinstance(wanted, tuple) else len(wanted)


class ProjectedList(_Sized, LazyItems):
    """A list read on demand."""

    holds_items = True
    _page_items = _ITEM_PAGE

    def _read_page(self, start: int, stop: int) -> list:
        return self._source.read("slice", start=start, stop=stop)

    def index(self, value: object, start: int = 0, stop: "int | None" = None) -> int:
        """The first position of `value`, as `list.index`."""
        first, last, _ = slice(start, stop).indices(self._length())
        for page in range(first, last, _ITEM_PAGE):
            for offset, item in enumerate(self._slice(page, min(page + _ITEM_PAGE, last))):
                if item == value:
                    return page + offset
        raise ValueError(f"{reprlib.repr(value)} is not in list")

    def _pieces(self) -> Iterator[tuple[int, int, str]]:
        for index, item in enumerate(self):
            yield index, 0, text_of(item)

    def peek(self, start: int = 0, end: "int | None" = 1000) -> str:
        """The items as text, one per line."""
        return peek_lines((text for _, _, text in self._pieces()), start, end)

    def __repr__(self) -> str:
        return f"<projected list of {self._length()} items: index it, or use peek, search, chunk>"


class ProjectedMapping(Queried, Mapping):
    """A mapping read on demand."""

    def __init__(self, source: Source, query: Callable, query_batched: Callable) -> None:
        self._source = source
        self._keys: "dict[str, None] | None" = None
        self._query = query
        self._query_batched = query_batched

    def _all_keys(self) -> "dict[str, None]":
        if self._keys is None:
            self._keys = dict.fromkeys(self._source.read("keys"))
        return self._keys

    def __len__(self) -> int:
        return len(self._all_keys())

    def __iter__(self) -> Iterator[str]:
        return iter(self._all_keys())

    def __contains__(self, key: object) -> bool:
        return key in self._all_keys()

    def __getitem__(self, key: str):
        if key not in self._all_keys():
            raise KeyError(key)
        return self._source.read("get", key=key)

    def plain(self) -> dict:
        return dict(self)

    def __or__(self, other: object) -> dict:
        return {**self, **other} if isinstance(other, Mapping) else NotImplemented

    def __ror__(self, other: object) -> dict:
        return {**other, **self} if isinstance(other, Mapping) else NotImplemented

    def _pieces(self) -> Iterator[tuple[int, int, str]]:
        for index, key in enumerate(self._all_keys()):
            yield index, 0, f"{key}: {text_of(self[key])}"

    def peek(self, start: int = 0, end: "int | None" = 1000) -> str:
        """Keys and values as text, one per line."""
        return peek_lines((text for _, _, text in self._pieces()), start, end)

    def __repr__(self) -> str:
        return f"<projected mapping of {len(self)} keys: index it, or use peek, search, chunk>"


for _class in (ProjectedText, ProjectedList, ProjectedMapping):
    _class.__module__ = "builtins"


def project(value: dict, channel: Channel, query: Callable, query_batched: Callable) -> object:
    """The lazy object for a projection."""
    source = Source(value["id"], channel)
    if value["shape"] == "text":
        return ProjectedText(source, value.get("size"), query, query_batched)
    if value["shape"] == "list":
        return ProjectedList(source, value.get("size"), query, query_batched)
    return ProjectedMapping(source, query, query_batched)
