"""Snapshot processes: the snapshots of a REPL, as pid 1 sees them. The kernel keeps them stopped, not their code."""

import os
import signal
import time

from .files import Copy
from .memory import own_memory, share_memory
from .processes import activity, parent_of, path_of, pauses, read, runs, send
from .wire import Link

#: Seconds for a process that was sent SIGSTOP to stand still.
_STOP_PATIENCE = 2.0


class SnapshotProcess:
    """A stopped process, the link that wakes it, and the files that belong to it."""

    __slots__ = ("pid", "link", "files", "names", "_still")

    def __init__(self, pid: int, link: Link, files: Copy, still: dict) -> None:
        self.pid = pid
        self.link = link
        self.files = files
        #: Names under which it is kept; the automatic snapshot goes by none.
        self.names: "set[str]" = set()
        #: The value of `activity` as long as it has not run.
        self._still = still

    def replace(self, pid: int, link: Link, still: dict) -> None:
        """It has been woken: this stopped copy takes its place."""
        self.pid, self.link, self._still = pid, link, still

    def size(self) -> int:
        """Bytes of memory and files it holds. Pages it shares with others count too: most of them at first."""
        return own_memory(self.pid) + self.files.bytes

    def end(self) -> None:
        """Lets go of the process."""
        send(self.pid, signal.SIGKILL)
        self.link.close()

    def intact(self) -> bool:
        """It is there, and has not run since it was stopped."""
        return self.pid > 0 and activity(self.pid) == self._still

    def wake(self, fds: "list[int]") -> None:
        """Continues it, with the connections it needs as the live process."""
        send(self.pid, signal.SIGCONT)
        self.link.send({"wake": True}, fds)


class Expected:
    """A snapshot process that has not reported yet: its link, and its files or the process that it replaces."""

    __slots__ = ("link", "files", "stands_in_for")

    def __init__(self, link: Link, files: "Copy | None", stands_in_for: "SnapshotProcess | None" = None) -> None:
        self.link = link
        self.files = files
        self.stands_in_for = stands_in_for

    def arrive(self, parent: int, patience: float) -> "tuple[int, dict, str]":
        """The process, stopped and looked at, and its `activity`; or 0 and the reason why it is refused."""
        try:
            packet = self.link.recv(patience)
        except OSError:
            return 0, {}, "the copy of the process did not report in time"
        if packet is None:
            return 0, {}, "the copy of the process ended"
        for fd in packet.fds:
            os.close(fd)
        # The kernel names the sender: the live process cannot pass for its own snapshot process and so outlive a sweep.
        pid = packet.pid
        if "frozen" not in packet.fields:
            return 0, {}, str(packet.fields.get("failed", "the copy of the process did not report"))[:500]
        if pid in (0, 1, parent) or not _is_child(pid, parent):
            return 0, {}, "the process that reported is not a copy of the live process"
        still = _stop(pid)
        if still is not None and len(still) == 1 and _stands_alone(pid, parent):
            return pid, still, ""
        send(pid, signal.SIGKILL)
        return 0, {}, "the copy of the process did not stand still and alone"


def _stop(pid: int) -> "dict | None":
    """Stops a process and waits until it is. Gives its `activity`; None when it does not stop."""
    send(pid, signal.SIGSTOP)
    deadline = time.monotonic() + _STOP_PATIENCE
    for pause in pauses():
        threads = activity(pid)
        if all(stopped for stopped, _ in threads.values()):
            return threads
        if time.monotonic() > deadline:
            return None
        time.sleep(pause)


def _stands_alone(pid: int, parent: int) -> bool:
    return not share_memory(pid, parent) and not read(path_of(pid, f"task/{pid}/children"))


def _is_child(pid: int, parent: int) -> bool:
    """`parent` has forked it; where that process has ended meanwhile, its children have become ours."""
    found = parent_of(pid)
    return found == parent or (found == os.getpid() and not runs(parent))
