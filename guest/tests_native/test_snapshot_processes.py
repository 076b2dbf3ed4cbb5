"""Which processes count as a copy of the live process."""

import os
import signal
import threading
import time
import unittest
from collections.abc import Callable

from fathom_native.processes import activity, runs
from fathom_native.snapshot_process import Expected
from fathom_native.wire import Link, pair


class SnapshotProcesses(unittest.TestCase):
    def setUp(self) -> None:
        self._pids: "list[int]" = []

    def tearDown(self) -> None:
        for pid in self._pids:
            if runs(pid):
                os.kill(pid, signal.SIGKILL)
        while self._pids:
            try:
                os.waitpid(self._pids.pop(), 0)
            except ChildProcessError:
                continue

    def arrive(self, report: "Callable[[Link], None]", parent: "int | None" = None) -> "tuple[int, str]":
        """A forked child runs `report`; the result is pid 1's report."""
        link, child_end = pair()
        pid = os.fork()
        if pid == 0:
            link.close()
            report(child_end)
            while True:
                time.sleep(0.001)
        self._pids.append(pid)
        child_end.close()
        found, _, problem = Expected(link, None).arrive(os.getpid() if parent is None else parent, 2)
        link.close()
        return found, problem

    def test_a_child_that_stands_still_is_one_and_is_stopped(self) -> None:
        pid, problem = self.arrive(lambda link: link.send({"frozen": True}))
        self.assertEqual((pid, problem), (self._pids[0], ""))
        self.assertEqual([stopped for stopped, _ in activity(pid).values()], [True])

    def test_one_that_reports_a_failure_is_none(self) -> None:
        self.assertEqual(self.arrive(lambda link: link.send({"failed": "no room"})), (0, "no room"))

    def test_a_grandchild_is_none(self) -> None:
        def report(link: Link) -> None:
            if os.fork() == 0:
                link.send({"frozen": True})
                time.sleep(10)
                os._exit(0)

        pid, problem = self.arrive(report)
        self.assertEqual(pid, 0)
        self.assertIn("is not a copy", problem)

    def test_the_parent_itself_is_none(self) -> None:
        link, other = pair()
        other.send({"frozen": True})
        pid, _, problem = Expected(link, None).arrive(os.getpid(), 2)
        self.assertEqual(pid, 0)
        self.assertIn("is not a copy", problem)
        link.close()
        other.close()

    def test_one_with_a_second_thread_is_none_and_is_ended(self) -> None:
        def report(link: Link) -> None:
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            link.send({"frozen": True})

        self.assertEqual(self.arrive(report), (0, "the copy of the process did not stand still and alone"))
        self.assertTrue(ends(self._pids[0]))

    def test_one_with_a_child_is_none_and_is_ended(self) -> None:
        def report(link: Link) -> None:
            if os.fork() == 0:
                time.sleep(10)
                os._exit(0)
            link.send({"frozen": True})

        self.assertEqual(self.arrive(report)[0], 0)
        self.assertTrue(ends(self._pids[0]))

    def test_one_that_reports_nothing_is_not_waited_for_long(self) -> None:
        link, other = pair()
        started = time.monotonic()
        self.assertEqual(Expected(link, None).arrive(1, 0.05)[0], 0)
        self.assertLess(time.monotonic() - started, 5)
        other.close()


def ends(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.005)
    return not runs(pid)
