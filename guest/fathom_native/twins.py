"""Frozen twins: the snapshots of a REPL, as the keeper sees them."""

import os
import signal

from .files import Copy
from .processes import send
from .wire import Link

_PAGE = os.sysconf("SC_PAGE_SIZE")
#: Bytes the kernel holds at most for one end of a socket pair, or for a pipe: 208 KiB by default, and 64 KiB.
BUFFER = 256 * 1024


class Expected:
    """A twin that is on its way: the link it will report on, and the files of its moment or the twin it stands in for."""

    __slots__ = ("link", "files", "stands_in_for")

    def __init__(self, link: Link, files: "Copy | None", stands_in_for: "Twin | None" = None) -> None:
        self.link = link
        self.files = files
        self.stands_in_for = stands_in_for


class Twin:
    """A process that stands still, the way to wake it, and the files that belong to it."""

    __slots__ = ("pid", "link", "files", "names")

    def __init__(self, pid: int, link: Link, files: Copy) -> None:
        self.pid = pid
        self.link = link
        self.files = files
        #: Names under which it is kept; the automatic snapshot goes by none.
        self.names: "set[str]" = set()

    def size(self) -> int:
        """Bytes of memory and files it stands for. What it shares with others, which is most of it at first, counts too."""
        return own_memory(self.pid) + self.files.bytes

    def end(self) -> None:
        """Lets go of the process."""
        send(self.pid, signal.SIGKILL)
        self.link.close()

    def alive(self) -> bool:
        """It has not been killed."""
        return send(self.pid, 0) and not _is_zombie(self.pid)


def _is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2][:1] in (b"Z", b"X")
    except OSError:
        return True


def private_memory(pid: int) -> int:
    """Bytes of memory that no other process shares."""
    return _rollup(pid, (b"Private_Clean:", b"Private_Dirty:"))


def fair_memory(pid: int) -> int:
    """Bytes of memory that is no file, shared pages by their share. Exact, and slow: it walks all pages."""
    return _rollup(pid, (b"Pss_Anon:", b"Pss_Shmem:"))


def resident_memory(pid: int) -> int:
    """Bytes in memory, shared ones included: at least what `fair_memory` and `private_memory` say, and quick."""
    return _resident(pid)[0] * _PAGE


def own_memory(pid: int) -> int:
    """Bytes in memory that are of no file or image, pages shared by forks included. Quick."""
    resident, mapped = _resident(pid)
    return (resident - mapped) * _PAGE


def _resident(pid: int) -> "tuple[int, int]":
    """Pages in memory, and those of them that files and images have."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            fields = file.read().split()
        return int(fields[1]), int(fields[2])
    except OSError:
        return 0, 0


def descriptors(pid: int) -> "list[str]":
    """The numbers of its open descriptors."""
    try:
        return os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return []


def buffer_memory(pids: "list[int]") -> int:
    """Bytes that the kernel may hold for the sockets and pipes of these processes: memory that nobody else counts."""
    found: "set[str]" = set()
    for pid in pids:
        for number in descriptors(pid):
            try:
                found.add(os.readlink(f"/proc/{pid}/fd/{number}"))
            except OSError:
                continue
    return BUFFER * sum(link.startswith(("socket:", "pipe:")) for link in found)


def _rollup(pid: int, names: "tuple[bytes, ...]") -> int:
    total = 0
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(names):
                    total += int(line.split()[1]) * 1024
    except OSError:
        return 0
    return total
