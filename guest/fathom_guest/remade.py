"""Functions and objects that a cell may change, and that the next cell gets as they were made.

To make them again takes Python a tenth of a millisecond, and writes to some 85 pages, which the kernel copies after
each fork. So they are made again only where something of them has changed since.
"""

from .own import own_builtins as __builtins__

import sys
from collections.abc import Callable
from gc import get_referents
from operator import is_
from types import CellType, FunctionType

from .guard import watch

#: Bytes that follow the references in a function: how to call it, and a number that the interpreter gives to functions.
_TAIL = 8


class Remade:
    """The values of a maker, as it made them."""

    __slots__ = ("values", "_make", "_changed")

    def __init__(self, make: "Callable[[], dict[str, object]]") -> None:
        self._make = make
        self._renew()

    def restore(self) -> bool:
        """Makes the values again where one of them has changed. True where it did."""
        if not self._changed():
            return False
        self._renew()
        return True

    def _renew(self) -> None:
        self.values: "dict[str, object]" = self._make()
        self._changed: "Callable[[], bool]" = watch_objects(list(self.values.values()))


def watch_objects(values: "list[object]") -> "Callable[[], bool]":
    """A function that says whether anything that belongs to these objects alone has changed.

    Of a function these are its parts, what it closes over, and the functions in there; of another object its slots and
    attributes.
    """
    objects, dicts = parts_of(values)
    dicts_changed, _ = watch(dicts)
    plain = sys.implementation.name == "cpython" and sys.maxsize > 2**32
    objects_changed = watch_memory(objects) if plain else watch_references(objects)
    return lambda: objects_changed() or dicts_changed()


def parts_of(values: "list[object]") -> "tuple[list[object], list[dict]]":
    """The objects themselves, and the dicts that belong to them."""
    objects: "list[object]" = []
    dicts: "list[dict]" = []
    left = values[::-1]
    while left:
        value = left.pop()
        if any(value is known for known in objects):
            continue
        objects.append(value)
        if type(value) is FunctionType:
            # Defaults, attributes and annotations: a function without has no dict for them, and is not to get one here.
            shared = (id(value.__globals__), id(value.__builtins__))
            owned = [part for part in get_referents(value) if type(part) is dict and id(part) not in shared]
            left += value.__closure__ or ()
        elif type(value) is CellType:
            owned = []
            left += [part for part in get_referents(value) if type(part) is FunctionType]
        else:
            owned = [vars(value)] if type(value).__dictoffset__ else []
        dicts += owned
        left += [part for names in owned for part in names.values() if type(part) is FunctionType]
    return objects, dicts


def watch_memory(objects: "list[object]") -> "Callable[[], bool]":
    """By the references that each object holds, as they lie in memory. Nothing is counted, and so nothing written."""
    from ctypes import c_char

    head = object.__basicsize__
    memory = []
    for one in objects:
        size = type(one).__basicsize__ - head - (_TAIL if type(one) is FunctionType else 0)
        memory.append((c_char * size).from_address(id(one) + head))
    join, seen = b"".join, b"".join(memory)

    def changed(_held=get_referents(*objects)) -> bool:
        # Held objects are not freed, so that no other object gets their addresses.
        return join(memory) != seen

    return changed


def watch_references(objects: "list[object]") -> "Callable[[], bool]":
    """By the objects that each of them refers to: one pass in C."""
    every, same, size, pairs, references = all, map, len, is_, get_referents
    seen = references(*objects)

    def changed() -> bool:
        now = references(*objects)
        return size(now) != size(seen) or not every(same(pairs, now, seen))

    return changed
