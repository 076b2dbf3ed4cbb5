"""Functions of the runtime are made again after a cell that changed one, and only then."""

import sys
import unittest
from collections.abc import Callable
from unittest import mock

from fathom_guest import remade


class Slotted:
    __slots__ = ("inner",)

    def __init__(self) -> None:
        self.inner = 1


class Plain:
    def __init__(self) -> None:
        self.inner = 1


def make() -> dict:
    state = [0]

    def nested(count):
        return state, count

    def function(first, second=2, *, third=3) -> int:
        """A docstring."""
        return nested(first), second, third

    def plain():
        return function

    def bare(first):
        return first

    function.start = lambda: nested
    return {"function": function, "plain": plain, "bare": bare, "slotted": Slotted(), "object": Plain()}


def other(first):
    return 2


def cell_of(function: Callable, name: str):
    return function.__closure__[function.__code__.co_freevars.index(name)]


def fill(cell, value) -> None:
    cell.cell_contents = value


CHANGES: "dict[str, Callable[[dict], object]]" = {
    "code": lambda made: setattr(made["bare"], "__code__", other.__code__),
    "defaults": lambda made: setattr(made["function"], "__defaults__", (3,)),
    "defaults by keyword": lambda made: made["function"].__kwdefaults__.update(third=4),
    "a docstring": lambda made: setattr(made["function"], "__doc__", None),
    "a name": lambda made: setattr(made["plain"], "__name__", "else"),
    "an attribute": lambda made: setattr(made["function"], "start", None),
    "a first attribute": lambda made: setattr(made["plain"], "added", 1),
    "annotations": lambda made: made["function"].__annotations__.clear(),
    "a variable that is closed over": lambda made: fill(cell_of(made["function"], "nested"), other),
    "a function that is closed over": lambda made: setattr(
        cell_of(made["function"], "nested").cell_contents, "__defaults__", (1,)
    ),
    "a function in an attribute": lambda made: setattr(made["function"].start, "__defaults__", (1,)),
    "a slot": lambda made: setattr(made["slotted"], "inner", 2),
    "an attribute of an object": lambda made: setattr(made["object"], "inner", 2),
    "a new attribute of an object": lambda made: setattr(made["object"], "added", 2),
}


class Remakes(unittest.TestCase):
    def check(self) -> None:
        for name, change in CHANGES.items():
            with self.subTest(name):
                kept = remade.Remade(make)
                first = dict(kept.values)
                for _ in range(300):  # often enough for the interpreter to specialize it
                    kept.values["function"](1)
                    kept.values["plain"]()
                self.assertFalse(kept.restore())
                self.assertEqual(kept.values, first)
                change(kept.values)
                self.assertTrue(kept.restore())
                for key, value in kept.values.items():
                    self.assertIsNot(value, first[key])
                self.assertFalse(kept.restore())
                change(kept.values)  # the first repair must not blind the next
                self.assertTrue(kept.restore())

    def test_by_memory(self) -> None:
        if sys.maxsize <= 2**32:
            self.skipTest("objects of 32 bits are watched by reference")
        self.check()

    def test_by_reference(self) -> None:
        with mock.patch.object(remade, "watch_memory", remade.watch_references):
            self.check()
