"""Processes and the messages between them."""

import os
import signal
import time
import unittest

from fathom_native.box.kernel import PR_SET_CHILD_SUBREAPER, prctl
from fathom_native.own_modules import os as own_os
from fathom_native.processes import Population, activity, how_it_ended, runs, seen_below, send
from fathom_native.wire import pair

from .hidden import hidden_process


class Processes(unittest.TestCase):
    def test_ends_are_reported_in_words(self) -> None:
        self.assertEqual(how_it_ended(3 << 8), "it ended by itself with exit code 3")
        self.assertEqual(how_it_ended(9), "it was ended by SIGKILL")
        self.assertEqual(how_it_ended(None), "it ended")

    def test_a_sweep_ends_all_but_what_is_kept(self) -> None:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        try:
            kept = self.sleeper()
            orphan = os.fork()
            if orphan == 0:
                os.setsid()
                for _ in range(3):
                    if os.fork() == 0:
                        signal.signal(signal.SIGTERM, signal.SIG_IGN)
                        time.sleep(60)
                os._exit(0)
            population = Population(namespaced=False)
            deadline = time.monotonic() + 10
            while len(seen_below(os.getpid())) < 4 and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertGreaterEqual(len(seen_below(os.getpid())), 4)
            self.assertTrue(population.sweep({kept}))
            self.assertEqual(population.others({kept}), [])
            self.assertTrue(runs(kept))
        finally:
            prctl(PR_SET_CHILD_SUBREAPER, 0)
            os.kill(kept, signal.SIGKILL)
            os.waitpid(kept, 0)

    def test_a_process_whose_first_thread_has_ended_runs_and_is_ended(self) -> None:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        try:
            before = set(seen_below(os.getpid()))
            pid = hidden_process(1000)
            with open(f"/proc/{pid}/stat", "rb") as file:
                self.assertEqual(file.read().rpartition(b") ")[2][:1], b"Z")  # as if it were over
            self.assertTrue(runs(pid))
            population = Population(namespaced=False)
            self.assertIn(pid, population.others(before))
            self.assertTrue(population.sweep(before))
            self.assertFalse(runs(pid))
        finally:
            prctl(PR_SET_CHILD_SUBREAPER, 0)

    def test_stopped_processes_show_no_activity_until_they_go_on(self) -> None:
        pid = self.sleeper(busy=True)
        try:
            os.kill(pid, signal.SIGSTOP)
            os.waitpid(pid, os.WUNTRACED)
            still = activity(pid)
            self.assertEqual([stopped for stopped, _ in still.values()], [True])
            self.assertEqual(activity(pid), still)
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGSTOP)
            os.waitpid(pid, os.WUNTRACED)
            self.assertNotEqual(activity(pid), still)
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def test_no_process_is_no_process_group(self) -> None:
        self.assertFalse(send(0, 0))

    def sleeper(self, busy: bool = False) -> int:
        pid = os.fork()
        if pid == 0:
            while busy:
                time.sleep(0.001)
            time.sleep(60)
            os._exit(0)
        return pid


class Links(unittest.TestCase):
    def test_carry_fields_descriptors_and_who_sent_them(self) -> None:
        first, second = pair()
        read, write = os.pipe()
        second.send({"n": [1, "é"]}, [write])
        packet = first.recv(1)
        self.assertEqual((packet.fields, packet.pid, len(packet.fds)), ({"n": [1, "é"]}, os.getpid(), 1))
        os.write(packet.fds[0], b"through")
        self.assertEqual(os.read(read, 10), b"through")
        for fd in (read, write, *packet.fds):
            os.close(fd)
        second.close()
        self.assertIsNone(first.recv(1))
        first.close()

    def test_wait_no_longer_than_they_may(self) -> None:
        first, second = pair()
        with self.assertRaises(OSError):
            first.recv(0.01)
        first.close()
        second.close()


class OwnModules(unittest.TestCase):
    def test_patches_of_the_public_ones_do_not_reach_them(self) -> None:
        before, os.getpid = os.getpid, lambda: -1
        try:
            self.assertNotEqual(own_os.getpid(), -1)
        finally:
            os.getpid = before
