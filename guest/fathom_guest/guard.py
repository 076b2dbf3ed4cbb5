"""Puts the runtime's own names back: what a cell has changed in its modules, its classes or in `builtins`.

Cells share the interpreter with the runtime and reach it by `sys.modules`, by `llm_query.__globals__` or by the class
of `history`. This is not a wall: it keeps a patch, by mistake or not, from outliving its cell.
"""

from .own import own_builtins as __builtins__

import abc
import builtins as _public
import sys
from collections.abc import Callable
from gc import get_referents
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
        self.restore: Callable[[], None] = make_restore([*own, __builtins__], classes)
        #: Puts back the public `builtins`, and `abc`, in whose names `isinstance` looks. Names that cells add stay.
        self.restore_public: Callable[[], None] = make_restore([_public.__dict__, abc.__dict__], [])


def own_classes(dicts: "list[dict]") -> "list[type]":
    """The classes that the package defines, also those that say they are built in."""
    values = [value for names in dicts for value in names.values() if isinstance(value, type)]
    ours = (_PACKAGE, "builtins")
    return [
        cls for cls in dict.fromkeys(values) if cls.__flags__ & _HEAP_TYPE and cls.__module__.partition(".")[0] in ours
    ]


def make_restore(dicts: "list[dict]", classes: "list[type]") -> "Callable[[], None]":
    """A function that puts replaced and deleted names back. It holds all it needs: it must work when nothing else does.

    Names that cells add to dicts stay; those added to classes are taken out.
    """
    known = [(names, dict(names)) for names in dicts]
    known_classes = [(cls, dict(vars(cls))) for cls in classes]
    changed, remember = watch([*dicts, *[get_referents(vars(cls))[0] for cls in classes]])
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
        if changed():
            repair()
            remember()

    return restore


def watch(dicts: "list[dict]") -> "tuple[Callable[[], bool], Callable[[], None]]":
    """A function that says whether any of the dicts has changed, and one that takes them as they are now.

    CPython numbers each change of a dict (PEP 509, up to 3.12), and keeps the number beside the size of the dict.
    Looking at every value takes ten times as long. It also counts references, which writes to the page of every value:
    after a fork the kernel copies each such page.
    """
    numbered = sys.implementation.name == "cpython" and sys.version_info < (3, 13) and sys.maxsize > 2**32
    return watch_versions(dicts) if numbered else watch_values(dicts)


def watch_versions(dicts: "list[dict]") -> "tuple[Callable[[], bool], Callable[[], None]]":
    """By the version of each dict."""
    from ctypes import c_char, c_void_p, sizeof

    # The version follows the count of references, the type and the size.
    offset, version = 3 * sizeof(c_void_p), c_char * 8
    join, tags = b"".join, [version.from_address(id(names) + offset) for names in dicts]
    seen = join(tags)

    def changed() -> bool:
        return join(tags) != seen

    def remember() -> None:
        nonlocal seen
        seen = join(tags)

    return changed, remember


def watch_values(dicts: "list[dict]") -> "tuple[Callable[[], bool], Callable[[], None]]":
    """By each value: one pass in C, as this runs three times in every cell."""
    every, same, total, size, chained, pairs, as_list = all, map, sum, len, chain.from_iterable, is_, list
    views = [names.values() for names in dicts]
    seen = as_list(chained(views))

    def changed() -> bool:
        return total(same(size, views)) != size(seen) or not every(same(pairs, chained(views), seen))

    def remember() -> None:
        nonlocal seen
        seen = as_list(chained(views))

    return changed, remember
