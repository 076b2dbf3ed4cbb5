"""Pages of a value of the host: some are kept until the cell ends, and the next ones are requested before need."""

from .own import own_builtins as __builtins__

from collections.abc import Iterator, Sequence

from .channel import Channel
from .errors import host_error
from .frames import decode_text, loads
from .slots import Slot

#: Bytes of pages of one value that are kept.
_KEPT_BYTES = 16 * 1024 * 1024


class Pending:
    """A read that was sent; `take` waits for its value."""

    __slots__ = ("_channel", "_header", "_cell", "_slot")

    def __init__(self, channel: Channel, header: dict) -> None:
        self._channel = channel
        self._header = header
        self._send()

    def _send(self) -> None:
        channel = self._channel
        channel.tracker.check()
        self._cell = channel.tracker.current
        self._slot = Slot()
        channel.request(dict(self._header), (), (self._slot,))

    def take(self) -> "tuple[object, int]":
        """The value, and the bytes of its JSON."""
        if self._cell != self._channel.tracker.current:
            self._send()  # Requests live as long as their cell.
        slot = self._slot
        self._channel.wait(slot)
        if not slot.entry["ok"]:
            raise host_error(slot.entry.get("error") or {}) from None
        part = slot.parts[0] if slot.parts else b"null"
        return loads(decode_text(part)), len(part)


class Pages:
    """A text or list of the host in pages: `page` items at first, and up to `most` where reads continue in order.

    The source has `channel`, `limit` (the length, or None while it is not known), and `begin(start, stop)`, which gives
    a `Pending`. A page that comes back shorter ends where it ends.
    """

    __slots__ = ("_ahead", "_bytes", "_grown", "_kept", "_most", "_next", "_page", "_source", "__weakref__")

    def __init__(self, source, page: int, most: int) -> None:
        self._source = source
        self._page = page
        self._most = most
        self.clear()
        source.channel.tracker.clear_at_end(self)

    def clear(self) -> None:
        """Forgets what it keeps: snapshots between cells hold nothing of it."""
        #: Pages by their start, the one that was used last at the end.
        self._kept: "dict[int, tuple[Sequence, int]]" = {}
        self._bytes = 0
        #: Where reads continue in order, and how much the next one gets.
        self._next, self._grown = -1, self._page
        self._ahead: "tuple[int, Pending] | None" = None

    def span(self, start: int, stop: int) -> "Iterator[Sequence]":
        """All from `start` to `stop`, in parts."""
        if stop - start > self._page:
            yield from self.stream(start, stop)
            return
        while start < stop:
            at, page = self._page_with(start)
            if not page:
                return
            yield page[start - at : stop - at]
            start = at + len(page)

    def stream(self, start: int, stop: "int | None" = None) -> "Iterator[Sequence]":
        """All from `start` on, in order, and not kept. From the second part on the next one is under way."""
        size, ahead = self._page, None
        while (end := self._end(stop)) is None or start < end:
            pending = ahead[1] if ahead is not None and ahead[0] == start else self._begin(start, size, end)
            larger = min(self._most, size * 2)
            ahead = self._begin_ahead(start + size, larger, end) if size > self._page else None
            part, _ = pending.take()
            if not part:
                return
            # Short parts are as large as the host makes them.
            size = larger if len(part) >= size else max(1, len(part))
            start += len(part)
            yield part

    def _end(self, stop: "int | None" = None) -> "int | None":
        ends = [end for end in (stop, self._source.limit) if end is not None]
        return min(ends) if ends else None

    def _begin(self, start: int, size: int, end: "int | None") -> Pending:
        return self._source.begin(start, start + size if end is None else min(start + size, end))

    def _begin_ahead(self, start: int, size: int, end: "int | None") -> "tuple[int, Pending] | None":
        return None if end is not None and start >= end else (start, self._begin(start, size, end))

    def _page_with(self, position: int) -> "tuple[int, Sequence]":
        """The page that has the item of a position, and where it begins."""
        for at, (page, size) in list(self._kept.items()):
            if at <= position < at + len(page):
                self._kept.pop(at, None)
                self._kept[at] = (page, size)
                return at, page
        in_order = position == self._next
        at = position if in_order else position - position % self._page
        self._grown = min(self._most, self._grown * 2) if in_order else self._page
        page, size = self._take(at)
        if page and at + len(page) <= position:
            at = position
            page, size = self._take(at)
        self._next = at + len(page)
        if page:
            self._keep(at, page, size)
            if in_order:
                self._ahead = self._begin_ahead(self._next, self._grown, self._end())
        return at, page

    def _take(self, at: int) -> "tuple[Sequence, int]":
        ahead, self._ahead = self._ahead, None
        pending = ahead[1] if ahead is not None and ahead[0] == at else self._begin(at, self._grown, self._end())
        return pending.take()

    def _keep(self, at: int, page: Sequence, size: int) -> None:
        self._kept[at] = (page, size)
        self._bytes += size
        while self._bytes > _KEPT_BYTES and len(self._kept) > 1:
            oldest = next(iter(self._kept))
            self._bytes -= self._kept.pop(oldest)[1]
