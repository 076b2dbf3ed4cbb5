"""Puts off what `threading`, `logging` and `random` do in each forked process, for forks of the runtime's own.

These callbacks make locks and random numbers anew. They write to some 190 pages, which the kernel copies: most of the
processor time of a snapshot process, which is stopped from then on and usually never woken. It runs them when it
wakes, before any code of a cell.
"""

import os
from collections.abc import Callable
from importlib import import_module

#: In the order in which Python runs them.
_callbacks: "list[Callable[[], object]]" = []
#: The fork under way is the runtime's own.
_own = False


def import_with_callbacks() -> None:
    """Imports the modules whose callbacks are put off. One that is imported already keeps its own."""
    register = os.register_at_fork

    def register_put_off(*, after_in_child: "Callable[[], object] | None" = None, **others: object) -> None:
        if after_in_child is None:
            register(**others)
        else:
            register(**others, after_in_child=_put_off(after_in_child))

    os.register_at_fork = register_put_off
    try:
        for name in ("threading", "logging", "random"):
            import_module(name)
    finally:
        os.register_at_fork = register


def _put_off(callback: "Callable[[], object]") -> "Callable[[], None]":
    _callbacks.append(callback)

    def run_unless_own() -> None:
        if not _own:
            callback()

    return run_unless_own


def fork_with_callbacks_put_off(fork: "Callable[[], int]") -> int:
    """Forks. The new process has to call `run_callbacks` before it uses one of the modules."""
    global _own
    _own = True
    try:
        return fork()
    finally:
        _own = False


def run_callbacks() -> None:
    """Runs what was put off. An error of one, whose module a cell has broken, ends nothing: Python only prints it."""
    for callback in _callbacks:
        try:
            callback()
        except BaseException:
            continue
