"""Which cell a thread or a task belongs to: the one that started it, however long it lives.

The number of a cell is in a context variable: tasks and callbacks of event loops copy their context. Threads do not, so
they get their starter's number when they start, and work handed to an executor takes its submitter's number along.
"""

from .own import own_builtins as __builtins__

import _thread
import os
import threading
from collections.abc import Callable
from concurrent.futures.thread import ThreadPoolExecutor
from contextvars import ContextVar
from weakref import WeakSet

from .errors import LLMError
from .limits import LATE_CELLS, LATE_OUTPUT_BYTES

_number: "ContextVar[int]" = ContextVar("fathom_cell", default=0)
#: The functions of `_thread` and `threading` that start a thread; each takes what the thread runs first.
_STARTERS = (
    (_thread, "start_new_thread"),
    (_thread, "start_new"),
    (_thread, "start_joinable_thread"),
    (threading, "_start_new_thread"),
    (threading, "_start_joinable_thread"),
)


class CellTracker:
    """Numbers cells, and keeps what threads and tasks print after the end of their cell."""

    def __init__(self) -> None:
        #: The number of the cell that runs, 0 between cells.
        self.current = 0
        self._cells = 0
        #: The handles of the newest cells, by number.
        self._handles: dict[int, str] = {}
        #: Output that came late, by handle: the pieces, and how many bytes were left out.
        self._late: dict[str, list] = {}
        self._threads: "set[Started]" = set()
        self._cleared: "WeakSet" = WeakSet()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._threads.clear)

    def begin(self, handle: str) -> None:
        """A cell starts in this thread."""
        self._cells += 1
        self.current = self._cells
        self._handles[self.current] = handle
        self._handles.pop(self.current - LATE_CELLS, None)
        self._late.pop(handle, None)
        _number.set(self.current)

    def end(self) -> None:
        """The cell is over: what it started and left running is late from here on."""
        self.current = 0
        _number.set(0)
        for kept in self._cleared:
            kept.clear()

    def clear_at_end(self, kept: object) -> None:
        """Calls `kept.clear()` at the end of each cell, as long as it lives."""
        self._cleared.add(kept)

    def late(self) -> int:
        """The number of the caller's cell when that cell has ended, else 0. The runtime's own threads have no cell."""
        number = _number.get()
        return 0 if number == self.current else number

    def check(self) -> None:
        """Raises where a thread or task of a cell that has ended asks for anything."""
        number = self.late()
        if number:
            handle = self._handles.get(number)
            cell = "the cell that started this thread or task" + ("" if handle is None else f" ({handle})")
            advice = "await the task, or join the thread, in the same cell"
            raise LLMError(f"{cell} has ended; calls live only as long as their cell: {advice}", "cancelled")

    def threads_left(self) -> bool:
        """Threads that cells have started run."""
        return bool(self._threads)

    # -- late output -----------------------------------------------------------------------------------------------

    def keep(self, number: int, data: bytes) -> None:
        """Takes in what the cell `number` prints after its end: the first `LATE_OUTPUT_BYTES` of it."""
        handle = self._handles.get(number)
        if handle is None:
            return
        kept = self._late.setdefault(handle, [b"", 0])
        room = LATE_OUTPUT_BYTES - len(kept[0])
        kept[0] += data[:room]
        kept[1] += max(0, len(data) - room)
        while len(self._late) > LATE_CELLS:
            del self._late[next(iter(self._late))]

    def late_output(self, handle: object) -> "str | None":
        """The output printed after the end of a cell, or None."""
        kept = self._late.get(handle) if type(handle) is str else None
        if kept is None:
            return None
        left_out = f"\n… [{kept[1]} bytes left out: {LATE_OUTPUT_BYTES} bytes of output are kept after a cell's end]"
        return str(kept[0], "utf-8", "replace") + (left_out if kept[1] else "")

    # -- threads ---------------------------------------------------------------------------------------------------

    def install(self) -> None:
        """Has threads and the work of executors carry the number of the cell that they are of."""
        for module, name in _STARTERS:
            start = getattr(module, name, None)
            if start is not None:
                setattr(module, name, self._starting(start))
        submit = ThreadPoolExecutor.submit

        def submit_of_cell(self, fn, /, *args, **kwargs):
            return submit(self, Submitted(fn), *args, **kwargs)

        submit_of_cell.__name__, submit_of_cell.__qualname__, submit_of_cell.__doc__ = (
            "submit",
            submit.__qualname__,
            submit.__doc__,
        )
        ThreadPoolExecutor.submit = submit_of_cell

    def _starting(self, start: Callable) -> Callable:
        threads = self._threads

        def start_of_cell(function, /, *args, **kwargs):
            if not callable(function):
                return start(function, *args, **kwargs)  # for its TypeError
            return start(Started(function, threads), *args, **kwargs)

        start_of_cell.__name__, start_of_cell.__doc__ = start.__name__, start.__doc__
        return start_of_cell


class Started:
    """Runs a thread's function under the number of the cell that started it."""

    __slots__ = ("_function", "_cell", "_threads")

    def __init__(self, function: Callable, threads: set) -> None:
        self._function = function
        self._cell = _number.get()
        self._threads = threads

    def __call__(self, *args, **kwargs):
        if not self._cell:
            return self._function(*args, **kwargs)
        _number.set(self._cell)
        self._threads.add(self)
        try:
            return self._function(*args, **kwargs)
        finally:
            self._threads.discard(self)

    def __repr__(self) -> str:
        return repr(self._function)


class Submitted:
    """Runs an executor's task under the number of the cell that submitted it: the thread may belong to another cell."""

    __slots__ = ("_function", "_cell")

    def __init__(self, function: Callable) -> None:
        self._function = function
        self._cell = _number.get()

    def __call__(self, *args, **kwargs):
        own = _number.set(self._cell)
        try:
            return self._function(*args, **kwargs)
        finally:
            _number.reset(own)
