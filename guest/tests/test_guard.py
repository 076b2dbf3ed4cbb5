"""The guard puts back the names that a cell has changed in the runtime, and repairs nothing in an unchanged one."""

import builtins
import sys
import unittest
from collections.abc import Callable

from fathom_guest import guard


class Victim:
    """A class to break."""

    size = 1

    def method(self) -> int:
        return 1


class Guards(unittest.TestCase):
    def setUp(self) -> None:
        self.names: dict = {"first": object(), "second": object()}
        self.before = dict(self.names)
        self.method = Victim.method

    def check(self) -> None:
        """Both kinds of change, twice each: the first repair must not blind the next."""
        for _ in range(2):
            restore = guard.make_restore([self.names], [Victim])
            for _ in range(2):
                self.names["first"] = None
                restore()
                self.assertEqual(self.names, self.before)
                del self.names["second"]
                self.names["added"] = 1
                restore()
                self.assertEqual(self.names, {**self.before, "added": 1})
                self.names["first"] = None  # behind a name that was added
                restore()
                self.assertIs(self.names.pop("first"), self.before["first"])
                restore()
                self.names.clear()
                restore()
                self.assertEqual(self.names, self.before)
            Victim.method, Victim.size, Victim.added = None, 2, 3
            restore()
            self.assertIs(Victim.method, self.method)
            self.assertEqual(Victim.size, 1)
            self.assertFalse(hasattr(Victim, "added"))

    def with_watch(self, watch: Callable) -> None:
        chosen, guard.watch = guard.watch, watch
        self.addCleanup(setattr, guard, "watch", chosen)

    def test_changes_come_back(self) -> None:
        self.check()

    def test_changes_come_back_where_dicts_have_no_versions(self) -> None:
        self.with_watch(guard.watch_values)
        self.check()

    def looks(self, watch: Callable) -> int:
        """How often ten looks at an unchanged runtime found a change, after one that did."""
        found: "list[bool]" = []

        def counting(dicts: "list[dict]") -> tuple:
            changed, remember = watch(dicts)
            return (lambda: found.append(changed()) or found[-1]), remember

        self.with_watch(counting)
        made = guard.Guard()
        builtins.added_by_a_cell = 1  # type: ignore[attr-defined]
        self.addCleanup(delattr, builtins, "added_by_a_cell")
        made.restore_public()
        self.assertEqual(found, [True])
        for _ in range(10):
            made.restore()
            made.restore_public()
        return sum(found)

    def test_an_unchanged_runtime_is_not_repaired(self) -> None:
        self.assertEqual(self.looks(guard.watch), 1)

    def test_an_unchanged_runtime_is_not_repaired_where_dicts_have_no_versions(self) -> None:
        self.assertEqual(self.looks(guard.watch_values), 1)

    @unittest.skipIf(sys.version_info >= (3, 13), "dicts have no versions from Python 3.13 on")
    def test_versions_are_used_where_there_are_some(self) -> None:
        changed, remember = guard.watch_versions([self.names])
        self.assertFalse(changed())
        self.names["first"] = self.names["first"]
        self.assertFalse(changed())
        self.names["first"] = None
        self.assertTrue(changed())
        remember()
        self.assertFalse(changed())
