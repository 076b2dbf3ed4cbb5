"""Watches a REPL from its pid 1: memory and processes while something may run, and that nothing runs at rest.

While a command runs, and for a moment after it, everything is looked at many times a second. Then everything is
stopped: children and threads that a cell has left behind continue with the next command. Stopped processes are
read rarely, and less and less often while nothing else runs.
"""

import time
from signal import SIGCONT, SIGSTOP

from .memory import MemoryCount
from .processes import Population, activity, send

#: Seconds between two looks at what runs: the live process alone, and with others.
_LOOK = 0.1
_CLOSE_LOOK = 0.03
#: At most this share of the processor goes into looks, however much there is to look at.
_SHARE = 0.05
#: Seconds after a command until a snapshot is made that was postponed: soon enough to be there before all is stopped.
_QUIET = 0.5
#: Seconds that what a command has left behind may run on.
_AFTERWARDS = 1.0
#: Seconds until the live process must have stopped running after a command.
_REST_PATIENCE = 30.0
#: Seconds until stopped processes are looked at again, the first time and at most.
_FIRST_LOOK, _LAST_LOOK = 1.0, 60.0

_CONTINUED = "it continued although it had been stopped"

RUNNING, AFTERWARDS, STILL = "running", "afterwards", "still"


class Watch:
    """Decides when to look, looks, and says why the REPL's processes must end, if so."""

    def __init__(self, *, population: Population, memory: int, processes: int, threads: int) -> None:
        self._population = population
        self._memory = memory
        self._processes = processes
        self._threads = threads
        self._count = MemoryCount()
        self._state = AFTERWARDS
        self._since = time.monotonic()
        self._next = 0.0
        self._newest: "bytes | None" = None
        self._stopped: "dict[int, dict]" = {}
        self._pause = _FIRST_LOOK
        self._offences = 0

    def timeout(self) -> int:
        """Milliseconds until the next look is due."""
        return max(0, round((self._next - time.monotonic()) * 1000))

    def wake(self) -> None:
        """A command is about to run."""
        self._go_on()
        self._enter(RUNNING)

    def stir(self) -> None:
        """The live process is needed, without a command."""
        if self._state == STILL:
            self._go_on()
            self._enter(AFTERWARDS)

    def rest(self) -> None:
        """The command is over."""
        if self._state == RUNNING:
            self._enter(AFTERWARDS)

    def is_quiet(self) -> bool:
        """Half a second has passed since the last command."""
        return self._state == AFTERWARDS and time.monotonic() > self._since + _QUIET

    def _go_on(self) -> None:
        stopped, self._stopped = self._stopped, {}
        for pid in stopped:
            send(pid, SIGCONT)

    def _enter(self, state: str) -> None:
        self._state, self._since = state, time.monotonic()
        self._next = min(self._next, self._since + _LOOK)

    def look(self, live: int, keep: "set[int]", *, owes: bool) -> "str | None":
        """Looks when it is due. `owes`: the live process has not yet stopped running after its last command."""
        started = time.monotonic()
        if started < self._next:
            return None
        if self._state == STILL:
            self._next = started + self._pause
            self._pause = min(_LAST_LOOK, 2 * self._pause) if set(self._stopped) <= {live} else _FIRST_LOOK
            return self._went_on()
        spent = time.process_time()
        problem = self._too_much(live, keep)
        pause = _LOOK if self._newest is not None else _CLOSE_LOOK
        self._next = started + max(pause, (time.process_time() - spent) / _SHARE)
        if problem is None and self._state == AFTERWARDS:
            if owes:
                if started > self._since + _REST_PATIENCE:
                    return "it did not stop running after its last cell"
            elif started > self._since + _AFTERWARDS:
                self._stand_still(keep)
        return problem

    def _too_much(self, live: int, keep: "set[int]") -> "str | None":
        newest = self._population.newest()
        if newest is not None and newest == self._newest:
            threads = {live: 1} if live else {}
        else:
            self._population.reap()
            threads = self._population.threads(keep)
            # As long as none but the live process runs and nothing is made, there is no other to look for.
            self._newest = newest if set(threads) <= {live} else None
        if len(threads) > self._processes:
            return f"it had {len(threads)} processes, and the limit is {self._processes} (maxProcesses)"
        extra = sum(threads.values()) - len(threads)
        if extra > self._threads:
            return f"its processes had {extra} threads, and {self._threads} is what a REPL may have"
        held = self._count.above(list(threads), self._memory)
        if held:
            return f"its processes held {held} bytes of memory, and the limit is {self._memory} bytes (memoryBytes)"
        return None

    def _stand_still(self, keep: "set[int]") -> None:
        self._state, self._pause, self._offences = STILL, _FIRST_LOOK, 0
        # Processes that a cell has stopped by itself stay stopped.
        own = {pid for pid in self._population.others(keep) if _is_stopped(activity(pid))}
        self._stopped = {pid: {} for pid in self._population.stop(keep | own)}
        self._next = time.monotonic() + self._pause

    def _went_on(self) -> "str | None":
        """A stopped process continues by itself only with intent: by a timer that sends it SIGCONT."""
        offence = False
        for pid, before in self._stopped.items():
            now = activity(pid)
            self._stopped[pid] = now
            for thread, (stopped, switches) in before.items():
                if thread not in now or now[thread][1] == switches:
                    continue
                if stopped:
                    return _CONTINUED
                offence = offence or not now[thread][0]
            if not _is_stopped(now):
                send(pid, SIGSTOP)
        # Once may be a long system call on a busy machine.
        self._offences = self._offences + 1 if offence else 0
        if offence:
            self._pause = _FIRST_LOOK
        return _CONTINUED if self._offences > 1 else None


def _is_stopped(threads: dict) -> bool:
    return all(stopped for stopped, _ in threads.values())
