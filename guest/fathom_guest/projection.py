"""Projections: data of the host that is read piece by piece, as a lazy text, list or mapping."""

from .own import own_builtins as __builtins__

import reprlib
from collections.abc import Callable, ItemsView, Iterator, Mapping, ValuesView

from .channel import Channel
from .json_values import text_of
from .lazy_items import LazyItems
from .paging import Pages
from .projected_text import ProjectedText
from .queried import Queried, Source, peek_lines

#: Items of a page, and of the longest part of a read in order.
_PAGE = 64
_MOST = 2048
#: Values of a mapping that are read at once, and characters of their keys.
_VALUES = 64
_KEY_CHARS = 8 * 1024


class ProjectedList(Queried, LazyItems):
    """A list read on demand."""

    holds_items = True

    def __init__(self, source, query: Callable, query_batched: Callable) -> None:
        self._reads = source
        self._query = query
        self._query_batched = query_batched
        self._item_pages = Pages(source, _PAGE, _MOST)

    def _length(self) -> int:
        return self._reads.length()

    def _slice(self, start: int, stop: int) -> list:
        self._check_fits(stop - start)
        items: list = []
        for part in self._item_pages.span(start, stop):
            items += part
        return items

    def __iter__(self) -> Iterator:
        for part in self._item_pages.stream(0):
            yield from part

    def __reversed__(self) -> Iterator:
        stop = self._length()
        while stop > 0:
            start = max(0, stop - _MOST)
            yield from reversed(self._slice(start, stop))
            stop = start

    def index(self, value: object, start: int = 0, stop: "int | None" = None) -> int:
        """The first position of `value`, as `list.index`."""
        first, last, _ = slice(start, stop).indices(self._length())
        for part in self._item_pages.stream(first, last):
            for item in part:
                if item is value or item == value:
                    return first
                first += 1
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
        self._reads = source
        self._keys: "dict[str, None] | None" = None
        self._query = query
        self._query_batched = query_batched

    def _all_keys(self) -> "dict[str, None]":
        if self._keys is None:
            self._keys = dict.fromkeys(self._reads.read("keys"))
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
        return self._reads.read("get", key=key)

    def items(self) -> "ItemsView[str, object]":
        return _Items(self)

    def values(self) -> "ValuesView[object]":
        return _Values(self)

    def _entries(self) -> "Iterator[tuple[str, object]]":
        """Keys and values, many values at a time."""
        keys: "list[str]" = []
        chars = 0
        for key in self._all_keys():
            keys.append(key)
            chars += len(key)
            if len(keys) >= _VALUES or chars >= _KEY_CHARS:
                yield from self._many(keys)
                keys, chars = [], 0
        yield from self._many(keys)

    def _many(self, keys: "list[str]") -> "Iterator[tuple[str, object]]":
        """The host gives fewer values than it was asked for where they are large."""
        while keys:
            values = self._reads.read("values", keys=keys)
            yield from zip(keys, values)
            keys = keys[max(1, len(values)) :]

    def plain(self) -> dict:
        return dict(self._entries())

    def __or__(self, other: object) -> dict:
        return {**self.plain(), **other} if isinstance(other, Mapping) else NotImplemented

    def __ror__(self, other: object) -> dict:
        return {**other, **self.plain()} if isinstance(other, Mapping) else NotImplemented

    def _pieces(self) -> Iterator[tuple[int, int, str]]:
        for index, (key, value) in enumerate(self._entries()):
            yield index, 0, f"{key}: {text_of(value)}"

    def peek(self, start: int = 0, end: "int | None" = 1000) -> str:
        """Keys and values as text, one per line."""
        return peek_lines((text for _, _, text in self._pieces()), start, end)

    def __repr__(self) -> str:
        return f"<projected mapping of {len(self)} keys: index it, or use peek, search, chunk>"


class _Items(ItemsView):
    """The entries of a projected mapping."""

    def __iter__(self) -> "Iterator[tuple[str, object]]":
        return self._mapping._entries()


class _Values(ValuesView):
    """The values of a projected mapping."""

    def __iter__(self) -> Iterator:
        return (value for _, value in self._mapping._entries())

    def __contains__(self, value: object) -> bool:
        return any(one is value or one == value for one in self)


for _class in (ProjectedList, ProjectedMapping):
    _class.__module__ = "builtins"


def project(value: dict, channel: Channel, query: Callable, query_batched: Callable) -> object:
    """The lazy object for a projection."""
    source = Source(value["id"], channel, value.get("size"))
    if value["shape"] == "text":
        return ProjectedText(source, query, query_batched)
    if value["shape"] == "list":
        return ProjectedList(source, query, query_batched)
    return ProjectedMapping(source, query, query_batched)
