"""More of the proof: what a cell could change of the host's files, and what it could use that the host uses too.

Every attempt leaves things as they are: it sets what is set already, or asks.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import resource
import socket
import stat
import struct
import sys
from typing import Callable

from .box.calls import ABSENT, METADATA, REFUSED
from .box.kernel import MACHINE, libc

_COLUMN = 0 if MACHINE == "x86_64" else 1
_SET_OWNER, _SET_LEASE, _NOTIFY, _SET_PIPE_SIZE = 8, 1024, 1026, 1031
_GET_FLAGS, _SET_FLAGS, _GET_ATTRIBUTES, _SET_ATTRIBUTES = 0x80086601, 0x40086602, 0x801C581F, 0x401C5820
_AT_FDCWD, _AT_EMPTY_PATH = -100, 0x1000
_DEVICES = ("null", "zero", "full", "random", "urandom")


def call(name: str, *arguments: object) -> int:
    """A system call by name; raises OSError."""
    number = {**REFUSED, **ABSENT, **METADATA}[name][_COLUMN]
    if number is None:
        raise OSError(errno.ENOSYS, name)
    wide = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result = libc.syscall(ctypes.c_long(number), *wide)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


def succeeded(attempts: "dict[str, Callable[[], object]]") -> "list[str]":
    """The names of those that raise no OSError."""
    found = []
    for name, attempt in attempts.items():
        try:
            attempt()
        except (OSError, ValueError):
            continue
        found.append(name)
    return found


# -- metadata of the host's files --------------------------------------------------------------------------------------


def changed_metadata(wanted: dict) -> "list[str]":
    """Mode, owner, times, attributes, flags, leases of files of the host: canary, devices, system, interpreter."""
    devices = os.listdir("/dev") if wanted["namespaces"] else _DEVICES
    paths = [wanted["canary"], os.path.dirname(wanted["canary"]), *(f"/dev/{name}" for name in devices)]
    paths += ["/", "/usr", "/usr/bin/env", "/etc/ld.so.cache", "/proc/meminfo", "/proc/sys/kernel/hostname"]
    paths += [os.path.realpath(sys.executable), os.path.realpath(os.__file__), *wanted["interpreter"]]
    found = []
    for path in dict.fromkeys(paths):
        try:
            info = os.stat(path)
        except OSError:
            continue
        own = os.path.realpath(path).startswith(("/proc/self/", "/proc/1/", "/dev/shm"))
        if not own and not stat.S_ISFIFO(info.st_mode) and not stat.S_ISSOCK(info.st_mode):
            found += [f"{name} of {path}" for name in succeeded(_metadata_attempts(path, info))]
    return found


def _metadata_attempts(path: str, info: os.stat_result) -> "dict[str, Callable[[], object]]":
    mode, encoded = stat.S_IMODE(info.st_mode), path.encode()
    times = (info.st_atime_ns, info.st_mtime_ns)

    def opened(use: "Callable[[int], object]", flags: int = os.O_RDONLY) -> None:
        fd = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            use(fd)
        finally:
            os.close(fd)

    def attribute() -> None:
        os.setxattr(path, "user.fathom-probe", b"1")
        os.removexattr(path, "user.fathom-probe")

    def again(get: int, put: int, size: int) -> "Callable[[int], object]":
        value = bytearray(size)
        return lambda fd: (fcntl.ioctl(fd, get, value), fcntl.ioctl(fd, put, value))

    def lease(fd: int) -> None:
        fcntl.fcntl(fd, _SET_LEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, _SET_LEASE, fcntl.F_UNLCK)

    return {
        "mode": lambda: os.chmod(path, mode),
        "mode by descriptor": lambda: opened(lambda fd: os.fchmod(fd, mode)),
        "mode by path descriptor": lambda: opened(lambda fd: os.chmod(f"/proc/self/fd/{fd}", mode), os.O_PATH),
        "mode by fchmodat2": lambda: call("fchmodat2", _AT_FDCWD, encoded, mode, 0),
        "owner": lambda: os.chown(path, info.st_uid, info.st_gid),
        "owner by path descriptor": lambda: opened(
            lambda fd: call("fchownat", fd, b"", info.st_uid, info.st_gid, _AT_EMPTY_PATH), os.O_PATH
        ),
        "times": lambda: os.utime(path, ns=times),
        "times by descriptor": lambda: opened(lambda fd: os.utime(fd, ns=times)),
        "extended attributes": attribute,
        "flags": lambda: opened(again(_GET_FLAGS, _SET_FLAGS, 8)),
        "project and flags": lambda: opened(again(_GET_ATTRIBUTES, _SET_ATTRIBUTES, 28)),
        "lease": lambda: opened(lease),
        "notices": lambda: opened(lambda fd: fcntl.fcntl(fd, _NOTIFY, 0x80000001)),
    }


# -- objects that the host uses too ------------------------------------------------------------------------------------


def shared_with_host(wanted: dict, pids: "list[int]") -> "list[str]":
    """Objects, limits and priorities outside of the box that could be used. `pids` are processes outside."""
    found = succeeded({**_object_attempts(wanted.get("decoys") or {}), **_limit_attempts()})
    for pid in pids:
        found += [f"{name} of {pid}" for name in succeeded(_process_attempts(pid))]
    return found


def _object_attempts(decoys: dict) -> "dict[str, Callable[[], object]]":
    """Decoys that the launcher has made outside; where it could make none, a number that is not in use."""
    memory, semaphore, queue = (decoys.get(name, -1) for name in ("memory", "semaphore", "queue"))
    buffer = ctypes.create_string_buffer(512)

    def datagram(kind: int) -> None:
        one, two = socket.socketpair(socket.AF_UNIX, kind)
        with one, two:
            one.sendto(b"fathom", decoys.get("socket", "/nowhere"))

    def answered(name: str, *arguments: object) -> None:
        """The kernel looked at the object, whatever it then said about it."""
        with _looked_at():
            call(name, *arguments)

    return {
        "System V memory": lambda: answered("shmat", memory, 0, 0o10000),
        "System V memory's state": lambda: answered("shmctl", memory, 2, buffer),
        "System V semaphore": lambda: answered("semop", semaphore, struct.pack("=HhhH", 0, 1, 0o4000, 0), 1),
        "System V semaphore's value": lambda: answered("semctl", semaphore, 0, 12, 0),
        "System V message": lambda: answered("msgrcv", queue, buffer, 64, 0, 0o4000),
        "System V message to others": lambda: answered("msgsnd", queue, struct.pack("=q8s", 1, b"fathom"), 6, 0o4000),
        "System V queue's state": lambda: answered("msgctl", queue, 2, buffer),
        "POSIX queue": lambda: answered("mq_open", decoys.get("name", "/nowhere").lstrip("/").encode(), 0, 0, 0),
        "named datagram": lambda: datagram(socket.SOCK_DGRAM),
        "named datagram by a raw socket": lambda: datagram(socket.SOCK_RAW),
        "named message": lambda: datagram(socket.SOCK_SEQPACKET),
    }


@contextlib.contextmanager
def _looked_at() -> object:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOSYS):
            raise


def _limit_attempts() -> "dict[str, Callable[[], object]]":
    """Limits that all processes of a user share, and memory of the kernel's that nothing counts."""

    def closed(fd: int) -> None:
        os.close(fd)

    def asynchronous() -> None:
        context = ctypes.c_ulong(0)
        call("io_setup", 1, ctypes.byref(context))

    def buffers() -> None:
        one, two = socket.socketpair()
        with one, two:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)

    def pipe() -> None:
        read, write = os.pipe()
        try:
            fcntl.fcntl(write, _SET_PIPE_SIZE, 1 << 17)
        finally:
            os.close(read)
            os.close(write)

    return {
        "inotify": lambda: closed(call("inotify_init1", 0)),
        "fanotify": lambda: closed(call("fanotify_init", 0x200, 0)),
        "aio": asynchronous,
        "socket buffers": buffers,
        "pipe sizes": pipe,
        "landlock rules": lambda: closed(call("landlock_create_ruleset", struct.pack("=Q", 1), 8, 0)),
    }


def _process_attempts(pid: int) -> "dict[str, Callable[[], object]]":
    def signals() -> None:
        read, write = os.pipe()
        try:
            fcntl.fcntl(read, _SET_OWNER, pid)
        finally:
            os.close(read)
            os.close(write)

    return {
        "priority": lambda: os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, pid)),
        "processors": lambda: os.sched_setaffinity(pid, os.sched_getaffinity(pid)),
        "scheduling": lambda: os.sched_setscheduler(pid, os.sched_getscheduler(pid), os.sched_param(0)),
        "limits": lambda: resource.prlimit(pid, resource.RLIMIT_CORE, resource.prlimit(pid, resource.RLIMIT_CORE)),
        "signals by a descriptor": signals,
    }
