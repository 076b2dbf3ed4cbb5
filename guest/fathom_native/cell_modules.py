"""Small repairs to what cells use of the standard library: forks, waiting for children, asyncio's subprocesses."""

from fathom_guest.own import own_builtins as __builtins__

import asyncio
import errno
import os as _public_os
import warnings

from .own_modules import os


def hide_children(hidden: "set[int]") -> None:
    """`os.wait()` and its like do not know of the processes in `hidden` (frozen snapshots are children too).

    Without this, `while True: os.wait()` would never get its ChildProcessError.
    """

    def visible() -> bool:
        found = False
        for thread in os.listdir("/proc/self/task"):
            fd = os.open(f"/proc/self/task/{thread}/children", os.O_RDONLY)
            try:
                while piece := os.read(fd, 65536):
                    found = found or any(int(word) not in hidden for word in piece.split())
            finally:
                os.close(fd)
        return found

    def waitpid(pid: int, options: int, /) -> "tuple[int, int]":
        if pid != -1 or not hidden:
            return os.waitpid(pid, options)
        while True:
            try:
                if not visible():
                    raise ChildProcessError(errno.ECHILD, os.strerror(errno.ECHILD))
            except (FileNotFoundError, PermissionError):
                return os.waitpid(pid, options)  # no /proc to look at
            ended = os.waitpid(pid, options)
            if ended[0] not in hidden:
                return ended
            hidden.discard(ended[0])

    def wait() -> "tuple[int, int]":
        return waitpid(-1, 0)

    waitpid.__doc__, wait.__doc__ = os.waitpid.__doc__, os.wait.__doc__
    _public_os.waitpid, _public_os.wait = waitpid, wait


def quiet_forks() -> None:
    """Python warns of forks in a process with threads. The one it sees is our own, and sleeps in the kernel."""
    warnings.filterwarnings("ignore", message=".*multi-threaded, use of fork", category=DeprecationWarning)


def let_asyncio_watch_children() -> None:
    """Subprocesses of asyncio need a watcher up to Python 3.13. This one has no thread, which a snapshot would lose."""
    pidfd_watcher = getattr(asyncio, "PidfdChildWatcher", None)
    if pidfd_watcher is None:
        return

    class Watcher(pidfd_watcher):
        """Watches in whatever loop runs; it need not be attached to one first (3.10 and 3.11 ask for that)."""

        _loop = property(lambda self: asyncio.get_running_loop(), lambda self, loop: None)

        def is_active(self) -> bool:
            return True

    policy = asyncio.get_event_loop_policy()
    try:
        policy.get_child_watcher()
    except NotImplementedError:
        watcher = Watcher()
        policy.get_child_watcher = lambda: watcher
