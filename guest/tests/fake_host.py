"""A host in the same process: answers frames of a guest as the test says."""

import os
import socket
import struct
import sys
import threading
from collections.abc import Callable

from fathom_guest import FdTransport, create_guest
from fathom_guest.frames import COMMAND, OUTPUT, REPLY, REQUEST, RESULT, decode_frame, encode_frame, split_parts

LIMITS = {
    "promptBytes": 100_000,
    "maxBatchItems": 1000,
    "outputChars": 1000,
    "outputBytes": 10_000,
    "answerBytes": 10_000,
    "diskBytes": 10_000_000,
    "callWindow": 16,
}

Reply = Callable[[str], object]


def frame(kind: int, ident: int, header: dict, *parts: bytes) -> bytes:
    """A frame with its parts named."""
    if parts:
        header = {**header, "parts": [len(part) for part in parts]}
    return encode_frame(kind, ident, header, parts)


class Result:
    """The result of a command."""

    def __init__(self) -> None:
        self.header: dict = {}
        self.parts: list[bytes] = []
        self.output = {"stdout": b"", "stderr": b""}
        self.dropped = {"stdout": 0, "stderr": 0}
        self.requests: list[dict] = []


class FakeHost:
    """Runs a guest in a thread of this process and talks to it over a socket pair."""

    def __init__(self, **options) -> None:
        self.ours, theirs = socket.socketpair()
        self._saved = sys.stdout, sys.stderr, sys.stdin, sys.__stdout__, sys.__stderr__, sys.modules["__main__"]
        self.guest = create_guest(FdTransport(os.dup(theirs.fileno())), **options)
        theirs.close()
        self.answer: Reply = lambda prompt: f"echo: {prompt}"
        self._thread = threading.Thread(target=self.guest.serve_forever, daemon=True)
        self._thread.start()
        self._commands = 0
        self._last_id = 0
        self.command({"op": "hello", "limits": LIMITS})

    def close(self) -> None:
        """Ends the guest and gives the process its streams back."""
        self.ours.close()
        self._thread.join(5)
        sys.stdout, sys.stderr, sys.stdin, sys.__stdout__, sys.__stderr__, sys.modules["__main__"] = self._saved

    def run(self, code: str) -> Result:
        """Runs a cell."""
        return self.command({"op": "execute", "handle": "t1.0"}, code.encode())

    def command(self, header: dict, *parts: bytes) -> Result:
        """Runs a command and serves the guest until its result."""
        self._commands += 1
        result = Result()
        self.ours.sendall(frame(COMMAND, self._commands, {**header, "first_id": self._last_id + 1}, *parts))
        while True:
            kind, ident, head, body = self._receive()
            if kind == RESULT:
                result.header = head
                if all(isinstance(size, int) for size in head.get("parts", ())):
                    result.parts = [bytes(part) for part in split_parts(head, body)]
                return result
            if kind == OUTPUT:
                result.output[head["stream"]] += bytes(body)
                result.dropped[head["stream"]] += head.get("dropped", 0)
            if kind == REQUEST:
                result.requests.append(head)
                self._serve(ident, head, body)

    def _serve(self, ident: int, head: dict, body: memoryview) -> None:
        texts = [bytes(part).decode() for part in split_parts(head, body)]
        if head["op"] == "calls":
            self._last_id = ident + len(texts) - 1
            order = list(enumerate(texts))
            for index, text in reversed(order):  # out of order on purpose
                reply = str(self.answer(text)).encode()
                entry = {"id": ident + index, "ok": True, "parts": 1, "usage": [1, 2, None]}
                self.ours.sendall(frame(REPLY, ident, {"replies": [entry]}, reply))
        else:
            self._last_id = ident
            entry = {"id": ident, "ok": True, "parts": 1}
            self.ours.sendall(frame(REPLY, ident, {"replies": [entry]}, b"[]"))

    def _receive(self) -> tuple:
        (size,) = struct.unpack("<I", self._read(4))
        return decode_frame(memoryview(self._read(size)))

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.ours.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data
