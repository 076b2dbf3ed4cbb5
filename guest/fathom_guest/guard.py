"""Puts the runtime's own names back: what a cell has changed in its modules, its classes or in `builtins`.

Cells share the interpreter with the runtime and reach it by `sys.modules`, by `llm_query.__globals__` or by the class
of `history`. This is not a wall: it keeps a patch, by mistake or not, from outliving its cell.
"""

from .own import own_builtins as __builtins__

import abc
import builtins as _public
import sys
from collections.abc import Callable
from itertools import chain
from operator import is_

_HEAP_TYPE = 1 << 9
_PACKAGE = __name__.partition(".")[0]


class Guard:
    """Remembers the runtime as it is once all of it is imported."""

    __slots__ = ("restore", "restore_public")

    def __init__(self) -> None:
        own = [module.__dict__ for name, module in sys.modules.items() if name.partition(".")[0] == _PACKAGE]
        classes = own_classes(own)
        #: Puts back the package: its modules, its classes and its private builtins.
        self.restore: Callable[[], None] = make_restore([*own, __builtins__], classes, additions=False)
        #: Puts back the public `builtins`, and `abc`, in whose names `isinstance` looks. Names that cells add stay.
        self.restore_public: Callable[[], None] = make_restore([_public.__dict__, abc.__dict__], [], additions=True)


def own_classes(dicts: "list[dict]") -> "list[type]":
    """The classes that the package defines, also those that say they are built in."""
    values = [value for names in dicts for value in names.values() if isinstance(value, type)]
    ours = (_PACKAGE, "builtins")
    return [
        cls for cls in dict.fromkeys(values) if cls.__flags__ & _HEAP_TYPE and cls.__module__.partition(".")[0] in ours
    ]


def make_restore(dicts: "list[dict]", classes: "list[type]", *, additions: bool) -> "Callable[[], None]":
    """A function that puts replaced and deleted names back. It holds all it needs: it must work when nothing else does.

    `additions`: names may be added to the dicts; otherwise those added to classes are taken out.
    """
    known = [(names, dict(names)) for names in dicts]
    known_classes = [(cls, dict(vars(cls))) for cls in classes]
    # One pass in C over all values, as views that stay up to date: this runs twice in every cell.
    views = [names.values() for names in dicts] + [vars(cls).values() for cls in classes]
    expected = [value for view in views for value in view]
    count = len(expected)
    every, same, total, size, chained, pairs = all, map, sum, len, chain.from_iterable, is_
    variables, missing, items, get, as_list = vars, object(), dict.items, dict.get, list
    put, take, begins = type.__setattr__, type.__delattr__, str.startswith

    def repair() -> None:
        for now, before in known:
            for name, value in items(before):
                if get(now, name, missing) is not value:
                    now[name] = value
        for cls, before in known_classes:
            now = variables(cls)
            for name in as_list(now):
                if name not in before and not begins(name, "__annot"):  # a cache of Python's
                    take(cls, name)
            for name, value in items(before):
                if now.get(name, missing) is not value:
                    put(cls, name, value)

    def restore() -> None:
        if not (additions or total(same(size, views)) == count) or not every(same(pairs, chained(views), expected)):
            repair()

    return restore
