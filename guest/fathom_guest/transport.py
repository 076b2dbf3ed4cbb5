"""Bytes to and from the host: one descriptor that blocks, a socket or Pyodide's device."""

from .own import own_builtins as __builtins__

from os import read, write
from typing import Protocol

_CHUNK = 65536
_LARGE = 1024 * 1024


class Transport(Protocol):
    """The operations that the channel needs of its connection to the host."""

    def send(self, frame: bytes) -> None:
        """Writes one whole frame."""

    def recv_frame(self) -> "memoryview | None":
        """The next frame without its length; None when the host has gone."""

    def has_frame(self) -> bool:
        """A whole frame has been read already."""

    def fileno(self) -> "int | None":
        """A descriptor that can be polled, where there is one."""


class FdTransport:
    """Frames over a blocking descriptor. One `os.write` carries one whole frame (Pyodide's device relies on it)."""

    def __init__(self, fd: int, *, pollable: bool = True) -> None:
        self._fd = fd
        self._pollable = pollable
        self._data = b""
        self._at = 0

    def fileno(self) -> "int | None":
        return self._fd if self._pollable else None

    def send(self, frame: bytes) -> None:
        sent = write(self._fd, frame)
        if sent < len(frame):
            rest = memoryview(frame)
            while sent < len(frame):
                sent += write(self._fd, rest[sent:])

    def _receive(self, size: int) -> bytes:
        """At most `size` bytes, once there are some; nothing when the host has gone."""
        return read(self._fd, size)

    def has_frame(self) -> bool:
        have = len(self._data) - self._at - 4
        return have >= 0 and have >= int.from_bytes(self._data[self._at : self._at + 4], "little")

    def recv_frame(self) -> "memoryview | None":
        while len(self._data) - self._at < 4:
            chunk = self._receive(_CHUNK)
            if not chunk:
                return None
            self._data = self._data[self._at :] + chunk if self._at < len(self._data) else chunk
            self._at = 0
        data, start = self._data, self._at + 4
        end = start + int.from_bytes(data[start - 4 : start], "little")
        if end <= len(data):
            if end == len(data):
                self._data, self._at = b"", 0
            else:
                self._at = end
            return memoryview(data)[start:end]
        return self._recv_rest(data[start:], end - start)

    def _recv_rest(self, begun: bytes, size: int) -> "memoryview | None":
        """The rest of a frame that is longer than what one read gave; never reads past its end."""
        self._data, self._at = b"", 0
        frame = bytearray(size)
        frame[: len(begun)] = begun
        have = len(begun)
        while have < size:
            chunk = read(self._fd, min(size - have, _LARGE))
            if not chunk:
                return None
            frame[have : have + len(chunk)] = chunk
            have += len(chunk)
        return memoryview(frame)
