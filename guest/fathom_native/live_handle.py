"""The live process, as its supervisor sees it."""

import os
import signal
import socket
import time

from .folders import Folders
from .live_process import Settings, start_live
from .processes import send
from .wire import Link, Packet, pair

#: Seconds a live process may leave what it is sent unread, with its queue full.
_PATIENCE = 5.0
#: The same for answers: a live process that asks and does not read them is hostile, and must not delay the supervisor.
_ANSWER_PATIENCE = 0.05


class LiveHandle:
    """Which process lives, how to speak to it, and the connections the host has opened for those to come."""

    def __init__(self, *, zygote: Link, options: dict, settings: Settings, folders: Folders) -> None:
        self._zygote = zygote
        self._options = options
        self._settings = settings
        self._folders = folders
        self._channels: "list[int]" = []
        self.pid = 0
        #: A cell has run: from then on it may be a cell that speaks in the process's name.
        self.begun = False
        self._fault = ""
        #: Something else than the process has spoken in its name, or it has spoken out of turn.
        self.forged = False
        #: Readable when the process has ended; -1 when none lives.
        self.watch = -1
        self.link: "Link | None" = None
        #: Its connection to the host, which ends with it even where children of its hold it open.
        self._channel: "socket.socket | None" = None
        #: Our end of the link that the next snapshot process will report on.
        self.spare: "Link | None" = None

    def add_channels(self, fds: "list[int]") -> None:
        """The host has opened a connection for the next process."""
        self._channels += fds

    def take_channel(self, patience: float) -> int:
        """The newest connection; older ones belonged to a process that has ended. Raises TimeoutError."""
        deadline = time.monotonic() + patience
        while not self._channels:
            packet = self._zygote.recv(max(0.01, deadline - time.monotonic()))
            if packet is None:
                raise SystemExit
            if "channel" in packet.fields:
                self.add_channels(packet.fds)
        newest = self._channels.pop()
        for fd in self._channels:
            os.close(fd)
        self._channels = []
        return newest

    def prepare(self) -> None:
        """A process from nothing, in its box, waiting for its connection."""
        link, live_end = pair()
        spare, spare_end = pair()
        pid = start_live(
            link=live_end, spare=spare_end, options=self._options, settings=self._settings, folders=self._folders
        )
        for end in (live_end, spare_end):
            end.close()
        self.lives(pid, link, spare)

    def begin(self, channel: int) -> None:
        """The process gets its connection and serves the host on it."""
        self._channel = socket.socket(fileno=channel)
        self.say({"begin": True}, [channel])

    def lives(self, pid: int, link: Link, spare: Link, channel: "int | None" = None) -> None:
        """This process lives now."""
        self.pid, self.link, self.spare = pid, link, spare
        self.watch = os.pidfd_open(pid)
        self.begun, self._fault, self.forged = channel is not None, "", False
        self._channel = None if channel is None else socket.socket(fileno=channel)

    def forget(self) -> None:
        """The process has ended."""
        if self.watch >= 0:
            os.close(self.watch)
        self.pid, self.watch = 0, -1
        channel, self._channel = self._channel, None
        if channel is not None:
            try:
                channel.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the host has closed its end
            channel.close()

    def hang_up(self) -> None:
        """Nothing more will be said to it."""
        for link in (self.link, self.spare):
            if link is not None:
                link.close()
        self.link = self.spare = None

    def hear(self) -> "Packet | None":
        """The next packet of the process; None when it has ended."""
        packet = None
        try:
            packet = self.link.recv(_PATIENCE) if self.link is not None else None
        except OSError:
            pass
        if packet is None and self.link is not None:
            self.link.close()
            self.link = None
        if packet is not None:
            for fd in packet.fds:
                os.close(fd)
            if packet.pid != self.pid:  # the kernel names the sender
                self.forged = True
            if "fault" in packet.fields and not self.begun:
                self._fault = str(packet.fields["fault"])[:500]
        return packet

    def answer(self, fields: dict, fds: "list[int] | tuple" = ()) -> bool:
        """Answers the process, which waits for it."""
        return self.say(fields, fds, patience=_ANSWER_PATIENCE)

    def last_words(self) -> str:
        """Why the process that has ended could not start, if so."""
        while not self.begun and self.hear() is not None:
            pass
        return self._fault

    def say(self, fields: dict, fds: "list[int] | tuple" = (), *, patience: float = _PATIENCE) -> bool:
        """Sends the process something; False when it is not there."""
        if self.link is None:
            return False
        try:
            self.link.send(fields, fds, timeout=patience)
            return True
        except TimeoutError:
            # It asks on and reads no answer: only a cell does that.
            if self.pid > 0:
                send(self.pid, signal.SIGKILL)
            self.link.close()
            self.link = None
        except OSError:
            pass
        return False
