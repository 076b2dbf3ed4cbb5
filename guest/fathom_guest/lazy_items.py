"""Values that are read from the host in pages, and behave as the text or list that they stand for."""

from .own import own_builtins as __builtins__

import sys
from collections.abc import Callable, Iterator, Sequence
from operator import ge, gt, le, lt
from operator import index as index_of

#: The largest number `len()` can return: 2³¹−1 where the interpreter has 32 bits.
_COUNTABLE = sys.maxsize


class Lazy(Sequence):
    """Length, comparison and concatenation as the plain value has them: it equals a `str` or `list` of its content."""

    __slots__ = ()

    #: The class of the plain value.
    _plain_type: type

    def _length(self) -> int:
        """How long it is; may be more than `len()` can count."""
        raise NotImplementedError

    def _first_difference(self, other) -> "tuple | None":
        """Parts of both where they differ first, or their lengths; None when they are equal."""
        raise NotImplementedError

    def plain(self):
        """All of it as a plain value."""
        raise NotImplementedError

    @property
    def size(self) -> int:
        """How many there are, also where that is more than `len()` can count."""
        return self._length()

    def __len__(self) -> int:
        length = self._length()
        if length > _COUNTABLE:
            raise OverflowError(
                f"len() counts to {_COUNTABLE} in this REPL, and this has {length}: use .size for the number; "
                "indices, slices, iteration, peek, search and find work"
            )
        return length

    def __bool__(self) -> bool:
        return self._length() > 0

    def _check_fits(self, count: int) -> None:
        """Raises for what is too much to be one plain value here."""
        if count > _COUNTABLE:
            kind = self._plain_type.__name__
            raise OverflowError(
                f"{count} do not fit into one {kind} in this REPL: use smaller slices, peek, search or find"
            )

    def _like(self, other: object) -> bool:
        return isinstance(other, (self._plain_type, type(self)))

    def __eq__(self, other: object) -> bool:
        if not self._like(other):
            return NotImplemented
        return other is self or (self._length() == length_of(other) and self._first_difference(other) is None)

    def _ordered(self, other: object, compare: Callable) -> bool:
        if not self._like(other):
            return NotImplemented
        found = None if other is self else self._first_difference(other)
        return compare(0, 0) if found is None else compare(*found)

    def __lt__(self, other: object) -> bool:
        return self._ordered(other, lt)

    def __le__(self, other: object) -> bool:
        return self._ordered(other, le)

    def __gt__(self, other: object) -> bool:
        return self._ordered(other, gt)

    def __ge__(self, other: object) -> bool:
        return self._ordered(other, ge)

    __hash__ = None

    def __add__(self, other: object):
        return self.plain() + plain_of(other) if self._like(other) else NotImplemented

    def __radd__(self, other: object):
        return plain_of(other) + self.plain() if self._like(other) else NotImplemented

    def __mul__(self, times: int):
        return self.plain() * times

    __rmul__ = __mul__


def length_of(value) -> int:
    """The length of a lazy or plain value."""
    return value._length() if isinstance(value, Lazy) else len(value)


def plain_of(value):
    """A lazy value as a plain one."""
    return value.plain() if isinstance(value, Lazy) else value


class LazyItems(Lazy):
    """Indices and slices as a list has them, from pages."""

    __slots__ = ()
    _plain_type = list

    #: The most items that are read at once.
    _page_items: int

    def _read_page(self, start: int, stop: int) -> list:
        """Items from `start` to `stop`, or the first of them; none at the end."""
        raise NotImplementedError

    def _no_item(self, key: object, length: int) -> str:
        """The message for an index that is out of range."""
        return "list index out of range"

    def __getitem__(self, key):
        length = self._length()
        if isinstance(key, slice):
            wanted = range(length)[key]
            if not wanted:
                return []
            first, last = min(wanted[0], wanted[-1]), max(wanted[0], wanted[-1])
            items = self._slice(first, last + 1)
            return [items[index - first] for index in wanted]
        index = index_of(key)
        if index < 0:
            index += length
        if not 0 <= index < length:
            raise IndexError(self._no_item(key, length))
        return self._slice(index, index + 1)[0]

    def _slice(self, start: int, stop: int) -> list:
        self._check_fits(stop - start)
        items: list = []
        while start < stop:
            page = self._read_page(start, min(stop, start + self._page_items))
            if not page:
                break
            items += page
            start += len(page)
        return items

    def __iter__(self) -> Iterator:
        start = 0
        while True:
            page = self._slice(start, min(self._length(), start + self._page_items))
            if not page:
                return
            yield from page
            start += len(page)

    def __reversed__(self) -> Iterator:
        for stop in range(self._length(), 0, -self._page_items):
            yield from reversed(self._slice(max(0, stop - self._page_items), stop))

    def _first_difference(self, other) -> "tuple | None":
        for mine, theirs in zip(self, other):
            if mine is not theirs and mine != theirs:
                return mine, theirs
        lengths = self._length(), length_of(other)
        return None if lengths[0] == lengths[1] else lengths

    def plain(self) -> list:
        self._check_fits(self._length())
        return list(iter(self))
