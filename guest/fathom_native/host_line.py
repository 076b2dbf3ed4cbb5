"""The host's line to a supervisor: one JSON object per line, both ways."""

import json
import socket


class HostLine:
    """Requests in, replies and events out."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._inbox = b""

    def fileno(self) -> int:
        return self._control.fileno()

    def receive(self) -> "list[dict] | None":
        """The requests that have come; None when the host has gone."""
        try:
            data = self._control.recv(65536)
        except OSError:
            return None
        if not data:
            return None
        *lines, self._inbox = (self._inbox + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def wants_end(self) -> bool:
        """The host has asked for the end of what runs, or has gone; its sent messages stay to be received."""
        try:
            data = self._control.recv(65536, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return not data or b'"op":"close"' in data or b'"op":"kill"' in data

    def send(self, fields: dict) -> None:
        """Sends an event or a reply."""
        try:
            self._control.sendall(json.dumps(fields).encode() + b"\n")
        except OSError:
            pass  # the host has gone: the next read says so
