"""Frames over a socket that are noticed at once where replies are quick."""

from fathom_guest.own import own_builtins as __builtins__

from time import perf_counter as _now
from _socket import AF_UNIX, MSG_DONTWAIT, SOCK_NONBLOCK, SOCK_STREAM, socket as Socket

from fathom_guest.transport import FdTransport

from .own_modules import os

#: Seconds in which a quick reply comes. To sleep and be woken takes some 50 microseconds on each side.
_QUICK_S = 0.0003
#: So many quick replies in a row say that the next will be: on a busy machine they come one by one.
_ROW = 8
#: On a single processor a polling guest keeps the host from answering.
_MAY_LOOK = (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1) > 1


class PromptTransport(FdTransport):
    """Looks for a reply for a moment before it sleeps, as long as replies are quick.

    Requests that the host answers by itself (`history`, projections, tools, recorded calls) take less time than to fall
    asleep and be woken. A model takes longer: after the first such wait the guest does not poll until several replies
    have been quick again.
    """

    def __init__(self, fd: int) -> None:
        super().__init__(fd)
        self._quick = 0
        self._socket: "Socket | None" = None

    def open(self) -> None:
        """The descriptor is in its place, and no cell has run: later a cell's audit hook may refuse sockets.

        `SOCK_NONBLOCK` keeps a default timeout from this object, which would make the descriptor itself non-blocking.
        """
        self._socket = Socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, self._fd)

    def _receive(self, size: int) -> bytes:
        began = _now()
        may_look = self._quick >= _ROW and _MAY_LOOK and self._socket is not None
        data = self._look(self._socket, size, began + _QUICK_S) if may_look else None
        if data is None:
            data = os.read(self._fd, size)
            self._quick = self._quick + 1 if _now() - began < _QUICK_S else 0
        return data

    def _look(self, socket: Socket, size: int, until: float) -> "bytes | None":
        receive = socket.recv
        while True:
            try:
                return receive(size, MSG_DONTWAIT)
            except BlockingIOError:
                if _now() >= until:
                    return None
