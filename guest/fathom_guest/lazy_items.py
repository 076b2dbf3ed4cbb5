"""A sequence of items that is read from the host in pages."""

from .own import own_builtins as __builtins__

from collections.abc import Sequence
from operator import index as index_of


class LazyItems(Sequence):
    """Indices and slices as a list has them, from pages."""

    __slots__ = ()

    #: The most items that are read at once.
    _page_items: int

    def _read_page(self, start: int, stop: int) -> list:
        """Items from `start` to `stop`, or the first of them; none at the end."""
        raise NotImplementedError

    def _no_item(self, key: object, length: int) -> str:
        """What to say of an index that is out of range."""
        return "list index out of range"

    def __getitem__(self, key):
        length = len(self)
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
        items: list = []
        while start < stop:
            page = self._read_page(start, min(stop, start + self._page_items))
            if not page:
                break
            items += page
            start += len(page)
        return items
