"""Objects of the host's that a cell must not reach, made outside of the box for the proof."""

import ctypes
import os
import socket
import struct

from .box.calls import REFUSED
from .box.kernel import MACHINE, libc

_COLUMN = 0 if MACHINE == "x86_64" else 1
_PRIVATE, _REMOVE, _SET_VALUE = 0, 0, 16
_MODE, _CREATE = 0o600, 0o1000
_SECRET = b"cells may not read this"


class Decoys:
    """Memory, a semaphore and a queue of System V, a queue of POSIX, a datagram socket. `close` removes them."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._name = f"fathom-{os.getpid()}"
        self._datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._path = f"{folder}/decoy-datagrams"
        self._datagrams.bind(self._path)
        self._memory = self._make_memory()
        self._semaphore = _call("semget", _PRIVATE, 1, _CREATE | _MODE)
        _call("semctl", self._semaphore, 0, _SET_VALUE, 1)
        self._queue = _call("msgget", _PRIVATE, _CREATE | _MODE)
        _call("msgsnd", self._queue, struct.pack("=q32s", 1, _SECRET), len(_SECRET), 0)
        posix = _call("mq_open", self._name.encode(), os.O_CREAT | os.O_EXCL | os.O_RDWR, _MODE, 0)
        if posix >= 0:
            os.close(posix)

    def _make_memory(self) -> int:
        """Marked for removal at once: it lives as long as it is attached."""
        memory = _call("shmget", _PRIVATE, 4096, _CREATE | _MODE)
        if memory >= 0:
            libc.shmat.restype = ctypes.c_void_p
            at = libc.shmat(memory, None, 0)
            if at not in (None, ctypes.c_void_p(-1).value):
                ctypes.memmove(at, _SECRET, len(_SECRET))
                self._at = at
            _call("shmctl", memory, _REMOVE, 0)
        return memory

    def describe(self) -> dict:
        """The attempts that the proof makes. A number that is not in use where the machine has no such objects."""
        ids = {"memory": self._memory, "semaphore": self._semaphore, "queue": self._queue}
        known = {name: ident for name, ident in ids.items() if ident >= 0}
        return {**known, "name": self._name, "socket": self._path}

    def close(self) -> None:
        """Removes them."""
        self._datagrams.close()
        os.unlink(self._path)
        if self._memory >= 0:
            libc.shmdt(ctypes.c_void_p(self._at))
        _call("semctl", self._semaphore, 0, _REMOVE, 0)
        _call("msgctl", self._queue, _REMOVE, 0)
        _call("mq_unlink", self._name.encode())


def _call(name: str, *arguments: object) -> int:
    number = REFUSED[name][_COLUMN]
    wide = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return libc.syscall(ctypes.c_long(number or -1), *wide)
