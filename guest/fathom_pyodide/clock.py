"""`time.sleep` that sleeps: emscripten's spins, and cannot be interrupted."""

from fathom_guest.own import own_builtins as __builtins__

import os
import time
from struct import Struct

_PIECE = 3600.0
_SECONDS = Struct("<d")


def install() -> None:
    """Puts it in place. The device waits outside of the interpreter and ends with EINTR when a signal has come."""
    fd = os.open("/dev/sleep", os.O_WRONLY)
    monotonic, spin, write, pack = time.monotonic, time.sleep, os.write, _SECONDS.pack

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
                write(fd, pack(min(left, _PIECE)))
            except OSError:
                spin(min(left, 0.01))  # a cell has closed the descriptor

    sleep.__module__ = "time"
    time.sleep = sleep
