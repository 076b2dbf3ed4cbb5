"""How much memory the processes of a REPL hold together, whatever the state of their first threads.

It counts memory that nothing else limits: anonymous memory, in memory or swapped out, and the kernel's memory for it
and for sockets and pipes. Files in the REPL's folders count towards `diskBytes`, mapped or not. Contexts belong to the
host: every REPL maps the same pages. Cells cannot get other shared memory.
"""

import ctypes
import os
from functools import cmp_to_key
from socket import SO_SNDBUF, SOL_SOCKET

from .box.kernel import MACHINE, libc
from .processes import path_of, read, thread_ids
from .wire import pair

_KCMP = {"x86_64": 312, "aarch64": 272}
_KCMP_VM, _KCMP_FILES = 1, 2
#: Bytes the kernel needs beyond the size of a socket's buffer, for the message that fills it.
_OVERSHOOT = 48 * 1024
_LEAST_BUFFER = 256 * 1024


def buffer_size() -> int:
    """Bytes the kernel holds at most for one end of a socket pair as it is made, or for a pipe."""
    first, second = pair()
    try:
        return max(_LEAST_BUFFER, first.socket.getsockopt(SOL_SOCKET, SO_SNDBUF) + _OVERSHOOT)
    finally:
        first.close()
        second.close()


def own_memory(pid: int) -> int:
    """Bytes of memory of a process's own, pages that forks share included. Quick."""
    return _sum(pid, "status", (b"\nRssAnon:", b"\nVmSwap:", b"\nVmPTE:")) or 0


def fair_memory(pid: int) -> int:
    """The same, with pages that forks share counted by their share. Exact, and slow: it walks all pages."""
    pages = _sum(pid, "smaps_rollup", (b"\nPss_Anon:", b"\nSwapPss:"))
    if pages is None:  # a program that none but its owner may look into: all its pages count
        return own_memory(pid)
    return pages + (_sum(pid, "status", (b"\nVmPTE:",)) or 0)


def private_memory(pid: int) -> int:
    """Bytes of memory that no other process shares."""
    return _sum(pid, "smaps_rollup", (b"\nPrivate_Clean:", b"\nPrivate_Dirty:")) or 0


def _living_thread(pid: int) -> int:
    """A thread that has the process's memory: the first one, unless it has ended."""
    status = read(path_of(pid, "status"))
    if status is None or b"\nVmSize:" in status:
        return pid
    for thread in thread_ids(pid):
        status = read(path_of(pid, f"task/{thread}/status"))
        if status is not None and b"\nVmSize:" in status:
            return int(thread)
    return pid


def _sum(pid: int, name: str, fields: "tuple[bytes, ...]") -> "int | None":
    found = _fields(path_of(pid, name), fields)
    return _fields(path_of(pid, f"task/{_living_thread(pid)}/{name}"), fields) if found is None else found


def _fields(path: str, fields: "tuple[bytes, ...]") -> "int | None":
    data = read(path)
    if data is None:
        return None
    total, known = 0, False
    for field in fields:
        at = data.find(field)
        if at >= 0:
            known = True
            total += int(data[at + len(field) : at + len(field) + 32].split(None, 1)[0]) * 1024
    return total if known else None


def _compare(kind: int, first: int, second: int) -> int:
    """0 when two processes or threads share what `kind` says; otherwise an order among them."""
    result = libc.syscall(_KCMP[MACHINE], first, second, kind, ctypes.c_ulong(0), ctypes.c_ulong(0))
    if result < 0:  # not allowed here, or it has ended: taken for two
        return first - second
    return (0, -1, 1, -1)[result]


def share_memory(first: int, second: int) -> bool:
    """Both are one memory, as after a clone with CLONE_VM."""
    return first == second or _compare(_KCMP_VM, first, second) == 0


def distinct(pids: "list[int]") -> "list[int]":
    """One process of each memory: a child of vfork has its parent's until it runs a program of its own."""
    living = {_living_thread(pid): pid for pid in pids}
    return [living[thread] for thread in _unlike(_KCMP_VM, list(living))]


def _unlike(kind: int, tasks: "list[int]") -> "list[int]":
    kept: "list[int]" = []
    for task in sorted(tasks, key=cmp_to_key(lambda first, second: _compare(kind, first, second))):
        if not kept or _compare(kind, kept[-1], task) != 0:
            kept.append(task)
    return kept


def _descriptor_folders(pid: int) -> "list[str]":
    """Where the descriptors of a process are listed: once, or once for each thread that has its own."""
    threads = [int(thread) for thread in thread_ids(pid)]
    if len(threads) > 1:
        threads = _unlike(_KCMP_FILES, threads)
    return [path_of(pid, f"task/{thread}/fd") for thread in threads]


class MemoryCount:
    """Counts what a set of processes holds."""

    def __init__(self) -> None:
        self._buffer = buffer_size()

    def above(self, pids: "list[int]", limit: int) -> int:
        """0 when the processes hold no more than `limit` bytes, else how much it is. Quick while it is far below."""
        folders = [folder for pid in pids for folder in _descriptor_folders(pid)]
        names = {folder: _listed(folder) for folder in folders}
        most = sum(map(own_memory, pids)) + self._buffer * sum(map(len, names.values()))
        if most <= limit:
            return 0
        held = sum(map(fair_memory, distinct(pids))) + self._buffer * _buffers(names)
        return held if held > limit else 0


def _listed(folder: str) -> "list[str]":
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _buffers(names: "dict[str, list[str]]") -> int:
    """How many different sockets and pipes are open."""
    found: "set[str]" = set()
    for folder, numbers in names.items():
        for number in numbers:
            try:
                found.add(os.readlink(f"{folder}/{number}"))
            except OSError:
                continue
    return sum(link.startswith(("socket:", "pipe:")) for link in found)
