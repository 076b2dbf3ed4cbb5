"""Puts off what modules do in each forked process, for forks of the runtime's own.

The callbacks of `threading`, `logging` and `random`, and those of the guest, make locks and random numbers anew. They
write to some 240 pages, which the kernel copies: most of the processor time of a snapshot process, which is stopped
from then on and usually never woken. It runs them when it wakes, before any code of a cell.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

#: In the order in which Python runs them.
_callbacks: "list[Callable[[], object]]" = []
#: The fork under way is the runtime's own.
_own = False


def _run_unless_own() -> None:
    if not _own:
        run_callbacks()


@contextmanager
def callbacks_put_off() -> "Iterator[None]":
    """Callbacks that are registered inside are put off. Python knows one for all of them."""
    register = os.register_at_fork

    def register_put_off(*, after_in_child: "Callable[[], object] | None" = None, **others: object) -> None:
        if after_in_child is not None:
            if not _callbacks:
                register(after_in_child=_run_unless_own)
            _callbacks.append(after_in_child)
        if others:
            register(**others)

    os.register_at_fork = register_put_off
    try:
        yield
    finally:
        os.register_at_fork = register


def import_with_callbacks() -> None:
    """Imports the modules whose callbacks are put off. One that is imported already keeps its own."""
    with callbacks_put_off():
        for name in ("threading", "logging", "random"):
            import_module(name)


def expect_own_fork(expected: bool) -> None:
    """While expected, a forked process has to call `run_callbacks` before it uses one of the modules."""
    global _own
    _own = expected


def run_callbacks() -> None:
    """Runs what was put off. An error of one, whose module a cell has broken, ends nothing: Python only prints it."""
    for callback in _callbacks:
        try:
            callback()
        except BaseException:
            continue
