"""The processes of one REPL: which of them run, and how all but some are stopped or ended for certain."""

import os
import signal
import time
from collections.abc import Iterator

_PF_EXITING = 0x4
#: Exit statuses kept until a caller asks how a child ended.
_STATUSES = 1024
#: Seconds in which the status of a child that has ended arrives.
_STATUS_PATIENCE = 0.2


class _Proc:
    """Where processes are looked at. A REPL's own /proc leaves out those that hide, and its pid 1 has another one."""

    root = "/proc"


def look_in(root: str) -> None:
    """From now on processes are looked at in that folder."""
    _Proc.root = root


def path_of(pid: int, name: str) -> str:
    """The path of what is to be known of a process."""
    return f"{_Proc.root}/{pid}/{name}"


def seen_in_namespace(own: int) -> "list[int]":
    """Every process of this pid namespace but `own`."""
    return [int(name) for name in os.listdir(_Proc.root) if name.isdigit() and int(name) != own]


def seen_below(own: int) -> "list[int]":
    """Every descendant of `own`: what to go by where there is no pid namespace. Needs `own` to be their subreaper."""
    found: "list[int]" = []
    wanted = [own]
    while wanted:
        pid = wanted.pop()
        for thread in thread_ids(pid):
            children = read(path_of(pid, f"task/{thread}/children"))
            if children is not None:
                numbers = [int(word) for word in children.split()]
                found += numbers
                wanted += numbers
    return found


def read(path: str) -> "bytes | None":
    """A small file of /proc; None when the process has gone, or has nothing to show any more."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        data = piece = os.read(fd, 65536)
        while len(piece) > 4000:
            piece = os.read(fd, 65536)
            data += piece
        return data
    except OSError:
        return None
    finally:
        os.close(fd)


def thread_ids(pid: int) -> "list[str]":
    """The threads of a process, its first one included."""
    try:
        return os.listdir(path_of(pid, "task"))
    except OSError:
        return []


def running_threads(pid: int) -> int:
    """How many threads of the process can still do something; 0 when it has ended.

    A process whose first thread has ended shows as a zombie, and runs on as long as it has other threads.
    """
    stat = read(path_of(pid, "stat"))
    if stat is None:
        return 0
    fields = stat.rpartition(b") ")[2].split()
    threads = int(fields[17])
    if fields[0] in (b"Z", b"X"):
        return max(0, threads - 1)
    return 0 if int(fields[6]) & _PF_EXITING and threads == 1 else threads


def runs(pid: int) -> bool:
    """The process can still do something."""
    return running_threads(pid) > 0


def parent_of(pid: int) -> int:
    """The parent of a process; 0 when there is no such process."""
    stat = read(path_of(pid, "stat"))
    return 0 if stat is None else int(stat.rpartition(b") ")[2].split()[1])


def activity(pid: int) -> "dict[str, tuple[bool, bytes]]":
    """For each thread: whether it is stopped, and a count that changes whenever it runs."""
    status = read(path_of(pid, "status"))
    if status is not None and b"\nThreads:\t1\n" in status:
        return {str(pid): _activity_in(status)}
    found = {}
    for thread in thread_ids(pid):
        status = read(path_of(pid, f"task/{thread}/status"))
        if status is not None:
            found[thread] = _activity_in(status)
    return found


def _activity_in(status: bytes) -> "tuple[bool, bytes]":
    state = status.partition(b"\nState:\t")[2][:1]
    return state == b"T", status.partition(b"\nvoluntary_ctxt_switches:")[2]


def pauses() -> "Iterator[float]":
    """Seconds between looks at something that takes microseconds, or on a busy machine milliseconds."""
    pause = 0.00005
    while True:
        yield pause
        pause = min(2 * pause, 0.005)


class Population:
    """All processes of a REPL. `keep` names those that survive a sweep (the frozen snapshots)."""

    def __init__(self, namespaced: bool) -> None:
        self._own = os.getpid()
        self._namespaced = namespaced
        self._see = seen_in_namespace if namespaced else seen_below
        #: Exit statuses of own children that have been collected.
        self.ended: "dict[int, int]" = {}

    def threads(self, keep: "set[int]") -> "dict[int, int]":
        """Which processes run, beside this one and `keep`, and how many threads each has."""
        counts = {pid: running_threads(pid) for pid in self._see(self._own) if pid not in keep}
        return {pid: count for pid, count in counts.items() if count > 0}

    def others(self, keep: "set[int]") -> "list[int]":
        """Which processes run, beside this one and `keep`."""
        return list(self.threads(keep))

    def newest(self) -> "bytes | None":
        """Changes when any process or thread has been made; None where that cannot be known at little cost."""
        data = read(f"{_Proc.root}/loadavg") if self._namespaced else None
        return None if data is None else data.rpartition(b" ")[2]

    def reap(self) -> None:
        """Collects children that have ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.ended[pid] = status
            while len(self.ended) > _STATUSES:
                del self.ended[next(iter(self.ended))]

    def await_end(self, pid: int) -> None:
        """Collects the status of a child that has ended; it arrives in a moment."""
        deadline = time.monotonic() + _STATUS_PATIENCE
        for pause in pauses():
            self.reap()
            if pid in self.ended or time.monotonic() > deadline:
                return
            time.sleep(pause)

    def sweep(self, keep: "set[int]", group: int = 0, seconds: float = 5.0) -> bool:
        """Ends everything but `keep`. False when something is still there after `seconds`.

        The process group `group` goes first and in one stroke: usually that is all. Then everything found is stopped,
        again and again until nothing new appears: a fork bomb whose processes stand still (and hold their places
        under the process limit) cannot outrun the list. Then everything is killed.
        """
        deadline = time.monotonic() + seconds
        if group > 1:
            send(-group, signal.SIGKILL)
        while True:
            found = self.others(keep)
            if not found:
                self.reap()
                return True
            if len(found) > 1:
                found = self.stop(keep)
            for pid in found:
                send(pid, signal.SIGKILL)
            for pause in pauses():
                if not any(runs(pid) for pid in found):
                    break
                if time.monotonic() > deadline:
                    return False
                self.reap()
                time.sleep(pause)
            self.reap()

    def stop(self, keep: "set[int]") -> "list[int]":
        """Stops everything but `keep`, until nothing new appears. Gives what was stopped."""
        known: "set[int]" = set()
        for _ in range(100):
            fresh = [pid for pid in self.others(keep) if pid not in known]
            if not fresh:
                break
            for pid in fresh:
                send(pid, signal.SIGSTOP)
            known.update(fresh)
        return list(known)


def send(pid: int, number: int) -> bool:
    """Sends a signal; False when there is no such process. 0 means no process, and never a process group."""
    try:
        if pid == 0:
            return False
        os.kill(pid, number)
        return True
    except OSError:
        return False


def how_it_ended(status: "int | None") -> str:
    """A wait status in words."""
    if status is None:
        return "it ended"
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"it ended by itself with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"it was ended by {name}"
