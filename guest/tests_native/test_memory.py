"""Memory of processes is counted however they hide it."""

import ctypes
import mmap
import os
import signal
import socket
import time
import unittest
from collections.abc import Callable

from fathom_native.memory import MemoryCount, distinct, fair_memory, own_memory, share_memory

from .hidden import hidden_process

_MIB = 1 << 20
_SIZE = 60 * _MIB
_CLONE = {"x86_64": 56, "aarch64": 220}[os.uname().machine]


class Memory(unittest.TestCase):
    def setUp(self) -> None:
        self._pids: "list[int]" = []

    def tearDown(self) -> None:
        for pid in self._pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def child(self, work: "Callable[[], object]") -> int:
        """A process that has done `work` and keeps what that gave."""
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            kept = work()
            os.write(write, b"x")
            time.sleep(600)
            os._exit(kept is None)
        os.read(read, 1)
        os.close(read)
        os.close(write)
        self._pids.append(pid)
        return pid

    def held(self, *pids: int) -> int:
        return MemoryCount().above(list(pids), 1)

    def test_of_an_open_process_is_seen(self) -> None:
        pid = self.child(lambda: bytearray(b"x") * _SIZE)
        self.assertGreater(own_memory(pid), _SIZE)
        self.assertGreater(fair_memory(pid), _SIZE)
        self.assertEqual(MemoryCount().above([pid], 4 * _SIZE), 0)

    def test_of_a_process_whose_first_thread_has_ended_is_seen(self) -> None:
        pid = hidden_process(_SIZE)
        self._pids.append(pid)
        with open(f"/proc/{pid}/statm", "rb") as file:
            self.assertEqual(file.read().split()[1], b"0")  # so it hides from a reader of the process
        self.assertGreater(own_memory(pid), _SIZE)
        self.assertGreater(fair_memory(pid), _SIZE)
        self.assertGreater(self.held(pid), _SIZE)

    def test_of_several_such_processes_is_seen(self) -> None:
        self._pids += [hidden_process(_SIZE), hidden_process(_SIZE), hidden_process(_SIZE)]
        self.assertGreater(self.held(*self._pids), 3 * _SIZE)

    def test_that_forks_share_counts_once(self) -> None:
        shared = bytearray(b"x") * _SIZE
        first, second = self.child(lambda: shared), self.child(lambda: shared)
        self.assertGreater(own_memory(first) + own_memory(second), 2 * _SIZE)
        self.assertLess(self.held(first, second), 1.3 * _SIZE)

    def test_that_two_processes_have_in_common_by_a_clone_counts_once(self) -> None:
        shared = bytearray(b"x") * _SIZE
        first = self.child(lambda: (shared.extend(b""), setattr(self, "_same", _vm_clone()))[0])
        with open(f"/proc/{first}/task/{first}/children", "rb") as file:
            second = int(file.read().split()[0])
        try:
            self.assertTrue(share_memory(first, second))
            self.assertEqual(len(distinct([first, second, os.getpid()])), 2)
            self.assertLess(self.held(first, second), 1.5 * _SIZE)
        finally:
            os.kill(second, signal.SIGKILL)

    def test_of_page_tables_counts(self) -> None:
        def sparse() -> mmap.mmap:
            pages = mmap.mmap(-1, 8 << 30, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
            for at in range(0, len(pages), 2 * _MIB):
                pages[at]
            return pages

        plain, tables = self.child(lambda: None), self.child(sparse)
        self.assertGreater(own_memory(tables) - own_memory(plain), 10 * _MIB)

    def test_of_sockets_and_pipes_counts_once_for_all_who_hold_them(self) -> None:
        pairs = [socket.socketpair() for _ in range(100)]
        try:
            first, second = self.child(lambda: pairs), self.child(lambda: pairs)
            self.assertGreater(self.held(first), 200 * 200 * 1024)
            self.assertLess(self.held(first, second) - self.held(first), 20 * _MIB)
        finally:
            for pair in pairs:
                pair[0].close()
                pair[1].close()


def _vm_clone() -> int:
    """A child that shares this process's memory, and sleeps in the kernel for good: it must not touch that memory."""
    libc = ctypes.PyDLL(None)
    stack = mmap.mmap(-1, 256 * 1024, flags=mmap.MAP_PRIVATE)
    top = ctypes.addressof(ctypes.c_char.from_buffer(stack)) + 256 * 1024 - 64
    pause = ctypes.cast(libc.pause, ctypes.c_void_p)
    libc.clone.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    pid = libc.clone(pause, top, 0x100 | signal.SIGCHLD, None)  # CLONE_VM
    _KEPT.append(stack)
    return pid


_KEPT: list = []
