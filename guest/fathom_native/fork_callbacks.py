"""Puts off what modules do around each fork, for forks of the runtime's own.

The callbacks of `threading`, `logging` and `random`, and those of the guest, take locks, and make locks and random
numbers again. They write to some 240 pages, which the kernel copies: most of the processor time of a snapshot process,
which is stopped from then on and usually never woken. It runs those for new processes when it wakes, before any code
of a cell. No thread runs beside such a fork that could hold one of the locks.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

#: In the order in which they were registered.
_before: list = []
_in_parent: list = []
_in_child: list = []
#: The fork under way is the runtime's own.
_own = False


def _run_before() -> None:
    if not _own:
        _run(_before[::-1])


def _run_in_parent() -> None:
    if not _own:
        _run(_in_parent)


def _run_in_child() -> None:
    if not _own:
        _run(_in_child)


def _run(callbacks: list) -> None:
    """An error of one, whose module a cell has broken, ends nothing: Python only prints it."""
    for callback in callbacks:
        try:
            callback()
        except BaseException:
            continue


@contextmanager
def callbacks_put_off() -> "Iterator[None]":
    """Callbacks that are registered inside are put off. Python knows one of each kind for all of them."""
    register = os.register_at_fork
    if not _in_child:
        register(before=_run_before, after_in_parent=_run_in_parent, after_in_child=_run_in_child)

    def register_put_off(*, before=None, after_in_parent=None, after_in_child=None) -> None:
        for callback, kind in ((before, _before), (after_in_parent, _in_parent), (after_in_child, _in_child)):
            if callback is not None:
                kind.append(callback)

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
    """Runs what was put off, in a process that the runtime has forked."""
    _run(_in_child)
