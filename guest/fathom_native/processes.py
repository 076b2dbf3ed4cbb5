"""The processes of one REPL: who is there, and how all but some are ended for certain."""

import os
import signal
import time

_PF_EXITING = 0x4


def seen_in_namespace(own: int) -> "list[int]":
    """Every process of this pid namespace but `own`, by /proc."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != own]


def seen_below(own: int) -> "list[int]":
    """Every descendant of `own`: what to go by where there is no pid namespace. Needs `own` to be their subreaper."""
    found: "list[int]" = []
    wanted = [own]
    while wanted:
        pid = wanted.pop()
        try:
            threads = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue
        for thread in threads:
            try:
                with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                    children = [int(word) for word in file.read().split()]
            except OSError:
                continue
            found += children
            wanted += children
    return found


def runs(pid: int) -> bool:
    """The process can still do something: it is neither a zombie nor on its way out with a single thread."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b") ")[2].split()
    except OSError:
        return False
    if fields[0] in (b"Z", b"X"):
        return False
    return not (int(fields[6]) & _PF_EXITING and fields[17] == b"1")


class Population:
    """All processes of a REPL. `keep` names those that survive a sweep (the frozen snapshots)."""

    def __init__(self, namespaced: bool) -> None:
        self._own = os.getpid()
        self._see = seen_in_namespace if namespaced else seen_below
        #: Exit statuses of own children that have been collected.
        self.ended: "dict[int, int]" = {}

    def others(self, keep: "set[int]") -> "list[int]":
        """Who runs, beside the keeper and `keep`."""
        return [pid for pid in self._see(self._own) if pid not in keep and runs(pid)]

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
            while len(self.ended) > 64:
                del self.ended[next(iter(self.ended))]

    def sweep(self, keep: "set[int]", group: int = 0, seconds: float = 5.0) -> bool:
        """Ends everything but `keep`. False when something is still there after `seconds`.

        The process group `group` goes first and in one stroke: usually that is all. Then everything found is stopped, again and again until nothing new appears: a fork bomb whose processes stand
        still (and hold their places under the process limit) cannot outrun the list. Then everything is killed.
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
                found = self._stop_all(found, keep)
            for pid in found:
                send(pid, signal.SIGKILL)
            while any(runs(pid) for pid in found):
                if time.monotonic() > deadline:
                    return False
                self.reap()
                time.sleep(0.0002)
            self.reap()

    def _stop_all(self, found: "list[int]", keep: "set[int]") -> "list[int]":
        known: "set[int]" = set()
        for _ in range(100):
            fresh = [pid for pid in found if pid not in known]
            if not fresh:
                break
            for pid in fresh:
                send(pid, signal.SIGSTOP)
            known.update(fresh)
            found = self.others(keep)
        return list(known)


def send(pid: int, number: int) -> bool:
    """Sends a signal; False when there is no such process."""
    try:
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
