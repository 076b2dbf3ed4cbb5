"""`time.sleep` that sleeps: emscripten's spins, and cannot be interrupted."""

from fathom_guest.own import own_builtins as __builtins__

import os
from struct import Struct
from time import monotonic

from pyodide import webloop

_PIECE = 3600.0
_pack = Struct("<d").pack
_spin = webloop._orig_sleep
_write = os.write
_fd = -1


def sleep(seconds, /):
    """sleep(seconds) -- delay execution for a given number of seconds."""
    if not isinstance(seconds, (int, float)):
        seconds = seconds.__index__() if hasattr(seconds, "__index__") else float(seconds)
    if seconds != seconds:
        raise ValueError("Invalid value NaN (not a number)")
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    end = monotonic() + seconds
    while (left := end - monotonic()) > 0:
        try:
            _write(_fd, _pack(min(left, _PIECE)))
        except OSError:
            _spin(min(left, 0.01))  # a cell has closed the descriptor


sleep.__module__ = "time"


def install() -> None:
    """Opens the device. It waits outside of the interpreter and ends with EINTR when a signal has come."""
    global _fd
    _fd = os.open("/dev/sleep", os.O_WRONLY)
