"""The texts of the items of `llm_map`: those that lie on the host are read in pages, and once for all passes."""

from .own import own_builtins as __builtins__

from collections.abc import Sequence
from random import Random

from .lazy_items import LazyItems
from .queried import text_of_item

#: Items that are read together, and shuffled together where not all of them are kept.
_PAGE, _WINDOW = 1000, 5000
#: Characters of pages that are kept: a list of 200 000 tweets, and a small part of a REPL's memory.
_KEPT_CHARS = 64_000_000


class ItemTexts:
    """The text of each item by its index."""

    def __init__(self, items: Sequence) -> None:
        self._items = items
        self._paged = isinstance(items, LazyItems)
        #: Texts by page, the last used one last.
        self._pages: "dict[int, list[str]]" = {}
        self._chars = 0
        #: Every page that was read is still here.
        self._keeps_all = True

    def __getitem__(self, index: int) -> str:
        if not self._paged:
            return text_of_item(self._items[index])
        number, offset = divmod(index, _PAGE)
        page = self._pages.pop(number, None)
        if page is None:
            page = self._read(number)
        self._pages[number] = page
        return page[offset]

    def _read(self, number: int) -> "list[str]":
        page = [text_of_item(item) for item in self._items[number * _PAGE : (number + 1) * _PAGE]]
        self._chars += sum(map(len, page))
        while self._chars > _KEPT_CHARS and self._pages:
            self._keeps_all = False
            self._chars -= sum(map(len, self._pages.pop(next(iter(self._pages)))))
        return page

    def shuffled(self, indices: Sequence, chance: Random) -> "list[int]":
        """The indices in another order: of any two of a window where pages would have to be read again for others."""
        order = list(indices)
        if self._keeps_all:
            chance.shuffle(order)
            return order
        windows = [order[start : start + _WINDOW] for start in range(0, len(order), _WINDOW)]
        for window in windows:
            chance.shuffle(window)
        chance.shuffle(windows)
        return [index for window in windows for index in window]
