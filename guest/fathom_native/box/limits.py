"""Capabilities away, resource limits on."""

import ctypes
import os
import resource
import struct

from .kernel import PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, PR_CAPBSET_DROP, check, libc

_CAPABILITY_VERSION_3 = 0x20080522
_LAST_CAPABILITY = 63
#: Address space beyond memoryBytes: shared libraries, thread stacks, mapped contexts. RLIMIT_DATA is the real limit.
_ADDRESS_ROOM = 64 << 30
#: Frozen snapshots, the supervisor, and the processes that make them count too.
_OWN_TASKS = 8
OPEN_FILES = 1024
#: Bytes of the first thread's stack, which RLIMIT_DATA does not count. The usual size, and what other threads get.
_STACK = 8 << 20


def drop_capabilities() -> None:
    """None left, none to be had again."""
    for capability in range(_LAST_CAPABILITY + 1):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), 8)
    none = ctypes.create_string_buffer(24)
    check(libc.capset(header, none), "capset")


def apply(*, memory: int, disk: int, processes: int, threads: int, snapshots: int, tasks_of_user: bool) -> None:
    """Sets soft and hard limits alike: a cell can only lower them.

    Linux counts processes and threads alike, and the frozen snapshots too: this limit is for all of them. pid 1 of the
    REPL counts processes and threads apart, and ends what has too many (`watch.py`).

    `tasks_of_user` says that there is no user namespace of the REPL's own: the kernel then counts every task of the
    user, and those that run now are left out of the limit.

    Memory is RLIMIT_DATA (private writable memory), not RLIMIT_AS alone: contexts are mapped files that all REPLs
    share, and thread stacks and allocator arenas reserve address space that is never used.
    """
    tasks = processes + threads + snapshots + _OWN_TASKS + (_tasks_now() if tasks_of_user else 0)
    for kind, value in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_AS, memory + _ADDRESS_ROOM),
        (resource.RLIMIT_FSIZE, disk),
        (resource.RLIMIT_NPROC, tasks),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_STACK, _STACK),
        (resource.RLIMIT_MEMLOCK, 64 << 10),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_RTPRIO, 0),
        (resource.RLIMIT_SIGPENDING, 1024),
    ):
        _lower(kind, value)


def _lower(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def _tasks_now() -> int:
    """Tasks of this user on the machine."""
    own = os.getuid()
    count = 0
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.stat(f"/proc/{name}").st_uid == own:
                count += len(os.listdir(f"/proc/{name}/task"))
        except OSError:
            continue
    return count
