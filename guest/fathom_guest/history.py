"""`history`: what happened so far, read from the host when it is looked at."""

from .own import own_builtins as __builtins__

import reprlib
from collections.abc import Sequence

from .cell_tracker import CellTracker
from .channel import Channel
from .errors import host_error
from .frames import decode_text, loads
from .lazy_items import LazyItems
from .slots import Slot

_PAGE = 50
_LONGEST = 200


def read_host(channel: Channel, header: dict, parts: Sequence[bytes] = ()) -> object:
    """Asks the host for a value and waits for it."""
    channel.tracker.check()
    slot = Slot()
    channel.request(header, parts, (slot,))
    channel.wait(slot)
    if not slot.entry["ok"]:
        raise host_error(slot.entry.get("error") or {}) from None
    return loads(decode_text(slot.parts[0])) if slot.parts else None


def with_late_output(tracker: CellTracker, item: object, ident: object = None) -> object:
    """The host's record of a command, followed by the output of its threads and tasks after its end."""
    if type(item) is str:
        late = tracker.late_output(ident)
        return item if late is None else f"{item}\n[printed after the end of the cell]\n{late}"
    if type(item) is dict:
        for part in item.get("commands", ()):
            with_late_output(tracker, part)
        if "output" in item:
            item["output"] = with_late_output(tracker, item["output"], item.get("id"))
    return item


class History(LazyItems):
    """A read-only sequence of items (dicts with `id` and `kind`). `history["t3.0"]` reads by id."""

    __slots__ = ("_channel", "_tracker")
    _page_items = _PAGE

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._tracker = channel.tracker

    def _read(self, **fields) -> object:
        return read_host(self._channel, {"op": "history", **fields})

    def _length(self) -> int:
        return self._read(read="length")

    def __getitem__(self, key):
        if isinstance(key, str):
            found = self._read(read="by-id", id=key) if len(key) <= _LONGEST else None
            if found is None:
                raise KeyError(f"history has no item {reprlib.repr(key)}")
            return with_late_output(self._tracker, found, key)
        return super().__getitem__(key)

    def _read_page(self, start: int, stop: int) -> list:
        return [with_late_output(self._tracker, item) for item in self._read(read="items", start=start, stop=stop)]

    def _no_item(self, key: object, length: int) -> str:
        return f"history has {length} items; there is no item {key}"

    def __contains__(self, wanted: object) -> bool:
        if isinstance(wanted, str):
            return len(wanted) <= _LONGEST and self._read(read="by-id", id=wanted) is not None
        return any(item == wanted for item in self)

    def __repr__(self) -> str:
        return f'<history of {self._length()} items; history["t1.0"] is the full output of a command>'


History.__module__ = "builtins"
