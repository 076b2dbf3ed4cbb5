"""The Pyodide backend's own Python: makes the guest while the base snapshot is baked, and gives it what it lacks there.

Runs before any cell has. This package is not a wall: cells share the interpreter with it. The walls are in
`src/repl/pyodide/worker`.
"""

from fathom_guest.own import own_builtins as __builtins__

import asyncio
import os
import sys
import time

from fathom_guest import FdTransport, Guest, create_guest

from . import gaps, hidden, preload, rehearse, sleeping
from . import prove as prove

#: Texts the child has put into memory, by token; each is taken once.
loaded: dict[str, str] = {}
_guest: "Guest | None" = None


def bake() -> int:
    """Makes the guest on `/dev/host`. Every child opens the device again under the descriptor returned here."""
    global _guest
    preload.modules()
    fd = os.open("/dev/host", os.O_RDWR)
    _guest = create_guest(
        FdTransport(fd, pollable=False), threads=False, load_file=lambda value: loaded.pop(value["token"])
    )
    sleeping.install()
    rehearse.rehearse(_guest, rehearse.CELLS * 8)
    gaps.close()
    for _ in range(4):
        # Each cell makes some objects of the runtime again: these lie side by side now, and the last ones leave gaps.
        rehearse.rehearse(_guest, rehearse.CELLS[:1])
        gaps.close()
    return fd


def step() -> None:
    """Serves the one command that lies ready."""
    guest = _guest
    if guest is None or not guest.serve_one():
        raise SystemExit


def begin(hide: bool = True) -> None:
    """Last Python before the gate is locked: the child's own random numbers, and no name of the host left behind."""
    os.chdir("/home/pyodide")
    guest = _guest
    if guest is None:
        return
    guest.bindings.reseed()
    own_sleep = sleeping.sleep
    # Booting puts Pyodide's event loop in place, which needs JavaScript.
    from pyodide import webloop

    asyncio.run = asyncio.runners.run = webloop._orig_run
    guest.loop.install()
    time.sleep = own_sleep
    sys.path[:] = [path for path in sys.path if path and path != "/lib/fathom"]
    sys.path_importer_cache.clear()
    if hide:
        hidden.shut()
    gaps.reopen()
