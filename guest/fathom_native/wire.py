"""Messages between the runtime's own processes: small JSON packets that may carry descriptors.

Used inside REPLs too, where cells may have patched anything: only C types and the guest's private JSON are touched.
"""

from fathom_guest.own import own_builtins as __builtins__

import struct
from array import array as _array
from _socket import (
    AF_UNIX,
    CMSG_SPACE,
    MSG_CMSG_CLOEXEC,
    SCM_CREDENTIALS,
    SCM_RIGHTS,
    SO_PASSCRED,
    SOCK_SEQPACKET,
    SOL_SOCKET,
    socket as Socket,
    socketpair,
)

from fathom_guest.frames import dumps, loads

from .own_modules import os

_MAX_PACKET = 64 * 1024
_MAX_FDS = 8
_CREDENTIALS = struct.Struct("=iII")
_ANCILLARY = CMSG_SPACE(_MAX_FDS * 4) + CMSG_SPACE(_CREDENTIALS.size)


class Packet:
    """One message: its fields, the descriptors it brought, and the sender's process id where the kernel reports it."""

    __slots__ = ("fields", "fds", "pid")

    def __init__(self, fields: dict, fds: "list[int]", pid: int) -> None:
        self.fields = fields
        self.fds = fds
        self.pid = pid


def pair() -> "tuple[Link, Link]":
    """Two connected links. The first learns the sender of each packet."""
    first, second = socketpair(AF_UNIX, SOCK_SEQPACKET)
    first.setsockopt(SOL_SOCKET, SO_PASSCRED, 1)
    return Link(first), Link(second)


class Link:
    """One end of a packet connection."""

    __slots__ = ("socket",)

    def __init__(self, socket: Socket) -> None:
        self.socket = socket

    @classmethod
    def of(cls, fd: int) -> "Link":
        """The link whose descriptor was inherited or received."""
        return cls(Socket(AF_UNIX, SOCK_SEQPACKET, 0, fd))

    def fileno(self) -> int:
        return self.socket.fileno()

    def close(self) -> None:
        self.socket.close()

    def be_patient(self, seconds: "float | None") -> None:
        """How long to wait from now on; None: as long as it takes. To set it is a system call."""
        if self.socket.gettimeout() != seconds:
            self.socket.settimeout(seconds)

    def send(self, fields: dict, fds: "list[int] | tuple" = (), timeout: "float | None" = None) -> None:
        """Sends one packet; raises OSError when the other end has gone or takes nothing for `timeout` seconds."""
        extra = [(SOL_SOCKET, SCM_RIGHTS, _array("i", fds))] if fds else []
        self.be_patient(timeout)
        self.socket.sendmsg([dumps(fields).encode()], extra)

    def recv(self, timeout: "float | None" = None) -> "Packet | None":
        """The next packet; None when the other end is closed. Raises TimeoutError (an OSError) after `timeout` s."""
        self.be_patient(timeout)
        data, extra, _, _ = self.socket.recvmsg(_MAX_PACKET, _ANCILLARY, MSG_CMSG_CLOEXEC)
        fds: "_array | list" = _array("i") if extra else []
        pid = 0
        for level, kind, content in extra:
            if level != SOL_SOCKET:
                continue
            if kind == SCM_RIGHTS:
                fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
            elif kind == SCM_CREDENTIALS:
                pid = _CREDENTIALS.unpack_from(content)[0]
        if not data:
            for fd in fds:
                os.close(fd)
            return None
        try:
            fields = loads(data.decode())
        except (ValueError, RecursionError):
            fields = None  # from a live process that is not itself any more
        return Packet(fields if isinstance(fields, dict) else {}, list(fds), pid)
