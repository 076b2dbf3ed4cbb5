"""The standard library's callbacks after a fork, put off for forks of the runtime's own."""

import os
import subprocess
import sys
import unittest

GUEST = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

#: In a fresh interpreter, which has imported none of the modules: a thread waits, and a forked process reports.
PROGRAM = """
import os, sys
sys.path.insert(0, sys.argv[1])
from fathom_native.fork_callbacks import expect_own_fork, import_with_callbacks, run_callbacks
assert "threading" not in sys.modules and "random" not in sys.modules
register = os.register_at_fork
import_with_callbacks()
assert os.register_at_fork is register
import random, threading
stop = threading.Event()
thread = threading.Thread(target=stop.wait)
thread.start()
drawn = random.Random()
def look():
    drawn.setstate(random.getstate())
    return threading.active_count(), drawn.random()
before = look()
def report(fork, *steps):
    read, write = os.pipe()
    if fork() == 0:
        for step in steps:
            step()
        threads, number = look()
        os.write(write, f"{threads} {number == before[1]}\\n".encode())
        os._exit(0)
    os.wait()
    print(os.read(read, 100).decode(), end="")
expect_own_fork(True)
report(os.fork)
report(os.fork, run_callbacks)
expect_own_fork(False)
report(os.fork)
stop.set()
"""


class ForkCallbacks(unittest.TestCase):
    def test_they_run_when_the_process_wakes_and_at_once_in_forks_of_cells(self) -> None:
        command = [sys.executable, "-I", "-S", "-W", "ignore", "-c", PROGRAM, GUEST]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(ran.stderr, "")
        put_off, woken, of_a_cell = ran.stdout.splitlines()
        self.assertEqual(put_off, "2 True")  # nothing has run: a dead thread counts, and random numbers repeat
        self.assertEqual(woken, "1 False")
        self.assertEqual(of_a_cell, "1 False")

    def test_a_process_that_has_not_run_them_can_fork_again(self) -> None:
        """The callback before a fork takes a lock, which only the callback in the new process makes again."""
        program = """
import os, sys
sys.path.insert(0, sys.argv[1])
from fathom_native.fork_callbacks import callbacks_put_off, expect_own_fork, run_callbacks
from threading import Lock
lock = Lock()
with callbacks_put_off():
    os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock._at_fork_reinit)
def ends(fork):
    pid = fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os._exit(ends(os.fork) if fork is twice else lock.locked())
def twice():
    return os.fork()
expect_own_fork(True)
print(ends(twice))
expect_own_fork(False)
print(ends(twice))
"""
        command = [sys.executable, "-I", "-S", "-W", "ignore", "-c", program, GUEST]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual((ran.stdout.split(), ran.stderr), (["0", "0"], ""))


if __name__ == "__main__":
    unittest.main()
