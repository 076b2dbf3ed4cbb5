"""Output that passes by Python: what subprocesses and C code write to descriptors 1 and 2 is output of the cell too."""

from fathom_guest.own import own_builtins as __builtins__

from _thread import allocate_lock, start_new_thread
from collections.abc import Iterable

from fathom_guest.guest import Guest

from .own_modules import os, select

_CHUNK = 64 * 1024
#: Bytes that a pipe holds. Cells cannot enlarge theirs, and neither can we: the filter refuses it.
_PIPE = 64 * 1024


class Drain:
    """Reads the two pipes: a thread while something runs, and once more at the end of each cell.

    The thread is made for the first cell and sleeps in the kernel; `threading` does not know it. The reader holds
    the lock until what was read has been taken in, so that the order is kept and a fork finds nothing half done.
    """

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._lock = allocate_lock()
        self._reads: "dict[int, object]" = {}
        self._threads = 0
        self._life = 0

    @property
    def threads(self) -> int:
        """Threads of this object's own that run."""
        return self._threads

    @property
    def descriptors(self) -> "Iterable[int]":
        """Of the ends that are read."""
        return self._reads

    def open(self) -> None:
        """New pipes as descriptors 1 and 2."""
        output = self._guest.output
        for fd in self._reads:
            os.close(fd)
        self._reads = {}
        for target, stream in ((1, output.stdout), (2, output.stderr)):
            read, write = os.pipe2(os.O_CLOEXEC)
            os.set_blocking(read, False)
            os.dup2(write, target, inheritable=True)
            os.close(write)
            self._reads[read] = stream

    def start(self) -> None:
        """Makes the thread, where there is none yet."""
        if self._threads == 0:
            self._threads = 1
            try:
                start_new_thread(self._run, (self._life,))
            except RuntimeError:
                self._threads = 0  # the process limit is reached: `finish` still reads what fits into the pipes

    def _run(self, life: int) -> None:
        poll = select.poll()
        for fd in self._reads:
            poll.register(fd, select.POLLIN)
        while life == self._life:
            ready = poll.poll()
            with self._lock:
                if life != self._life:
                    return
                for fd, event in ready:
                    if not event & select.POLLIN:
                        return
                    self._read(fd, _CHUNK)

    def _read(self, fd: int, most: int) -> bool:
        try:
            data = os.read(fd, most)
        except OSError:
            return False
        if not data:
            return False
        self._guest.output.write(self._reads[fd], data)
        return True

    def finish(self) -> None:
        """Takes in what is still in the pipes. Not more than they can hold: a process may keep on writing."""
        read = False
        with self._lock:
            for fd in self._reads:
                for _ in range(_PIPE // _CHUNK + 1):
                    if not self._read(fd, _CHUNK):
                        break
                    read = True
        if read:
            self._guest.output.end()

    def hold(self) -> None:
        """Nothing is being read from here on."""
        self._lock.acquire()

    def release(self) -> None:
        """Ends `hold`."""
        self._lock.release()

    def forked(self) -> None:
        """In a snapshot process: the thread has stayed behind."""
        self._lock = allocate_lock()
        self._threads = 0
        self._life += 1
