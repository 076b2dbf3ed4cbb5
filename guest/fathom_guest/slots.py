"""Places where replies arrive."""

from .own import own_builtins as __builtins__

from collections.abc import Callable, Sequence

CELL_ENDED = {
    "ok": False,
    "error": {
        "code": "cancelled",
        "message": "the cell that made this call has ended; calls live only as long as their cell",
    },
}


class Slot:
    """A place where a reply will arrive."""

    __slots__ = ("id", "done", "entry", "parts", "notify", "gate", "leads", "bytes")

    #: The number this slot adds to `Channel.calls_pending`.
    counts = 0

    def __init__(self) -> None:
        self.id = 0
        self.done = False
        self.entry: dict = {}
        self.parts: Sequence[memoryview] = ()
        self.notify: "Callable[[], None] | None" = None
        self.gate = None
        self.leads = False
        #: The number it adds to `Channel.bytes_pending`.
        self.bytes = 0


def notify(slot: Slot) -> None:
    """Wakes a waiter in an event loop. A loop that a cell has broken or closed must not break the channel."""
    if slot.notify is not None:
        try:
            slot.notify()
        except Exception:
            pass


def refuse(slots: Sequence[Slot]) -> None:
    """Fills slots whose request is not sent."""
    for slot in slots:
        slot.entry = CELL_ENDED
        slot.done = True
        notify(slot)
