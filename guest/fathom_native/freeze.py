"""Snapshots as the live process makes them: forked processes that stay stopped until the supervisor wakes them."""

from fathom_guest.own import own_builtins as __builtins__

import _thread

from fathom_guest.guest import Guest

from .descriptors import NULL, RESERVED
from .drain import Drain
from .fork_callbacks import expect_own_fork, run_callbacks
from .own_modules import fcntl, os, signal
from .pools import forget_threads, idle_pools
from .stopped_fork import fork_stopped
from .wire import Link, Packet

_ALL_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
_REOPEN = os.O_RDONLY | os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_NONBLOCK
MADE, WOKEN, FAILED = "made", "woken", "failed"

_threads_running = _thread._count


class Moment:
    """State that a fork does not keep, or shares with its parent."""

    __slots__ = ("files", "folder")

    def __init__(self, files: "list[tuple]", folder: "str | None") -> None:
        self.files = files
        self.folder = folder


class Freezer:
    """Makes snapshot processes at rest.

    `link` leads to the supervisor, `spare` is the next snapshot process's own link.
    """

    link: Link
    _spare: Link

    def __init__(self, *, guest: Guest, drain: Drain, channel: int) -> None:
        self.due = True
        #: Packets the supervisor sent while we waited for another one.
        self.backlog: "list[Packet]" = []
        self._guest = guest
        self._drain = drain
        self._channel = channel
        self._roots: "tuple[str, ...]" = ()
        #: Threads that Python still counts although a fork has left them behind.
        self._lost_threads = 0
        #: Snapshot processes made by this process: their ends are not for cells to wait for.
        self.children: "set[int]" = set()

    def begin(self, *, link: Link, spare: Link, roots: "list[str]") -> None:
        """The process is a REPL from now on."""
        self.link, self._spare, self._roots = link, spare, tuple(roots)

    def threads_in_the_way(self) -> int:
        """Threads of the cells': a fork would lose them."""
        return _threads_running() - self._drain.threads - self._lost_threads

    def take(self) -> str:
        """Forks a snapshot process, waits until the supervisor has it. Returns `WOKEN` in that process, once woken."""
        self._reap()
        pools: list = []
        blocked = self.threads_in_the_way()
        if blocked > 0:
            pools, waiting = idle_pools()
            blocked -= waiting
        if blocked > 0:
            threads = "a thread" if blocked == 1 else f"{blocked} threads"
            return self._fail(f"{threads} of earlier cells still running, which a copy of the process would lose")
        files = self._open_files()
        folder = self._folder()
        # The supervisor copies the files while we fork; the snapshot process reports to it in its own time.
        self.link.send({"forking": True})
        self._drain.hold()
        before = self._expect_fork()
        try:
            pid = fork_stopped(self._spare, self._channel, (self.link.fileno(),))
        except OSError as error:
            self._forked(before)
            self._drain.release()
            self._await_supervisor()  # gives up the link that no snapshot process will report on
            return self._fail(f"no further process can be made ({error.strerror})")
        if pid == 0:
            return self._wake_up(pools, Moment(files, folder), before)
        self._forked(before)
        self._drain.release()
        self.children.add(pid)
        self.due = False
        return self._await_supervisor()

    def _expect_fork(self) -> "set[int]":
        """Both sides of the next fork stay guests, and the new process is not interrupted. Gives what was blocked."""
        self._guest.channel.expect_own_forks(True)
        expect_own_fork(True)
        return signal.pthread_sigmask(signal.SIG_BLOCK, _ALL_SIGNALS)

    def _forked(self, before: "set[int]") -> None:
        expect_own_fork(False)
        self._guest.channel.expect_own_forks(False)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _await_supervisor(self) -> str:
        self._spare.close()  # it is the snapshot process's; and there may be no other number left for the next one
        packet = self._answer()
        for fd in packet.fds:
            self._spare = Link.of(fd)
        return MADE if packet.fields["ok"] else FAILED

    def _fail(self, reason: str) -> str:
        self.link.send({"failed": reason})
        self._answer()
        return FAILED

    def _answer(self) -> Packet:
        """The supervisor's answer. Other packets that arrive meanwhile are kept for later."""
        while True:
            packet = self.link.recv()
            if packet is None:
                os._exit(0)
            if "ok" in packet.fields:
                return packet
            self.backlog.append(packet)

    def _reap(self) -> None:
        for pid in list(self.children):
            try:
                if os.waitpid(pid, os.WNOHANG)[0] == 0:
                    continue
            except ChildProcessError:
                pass
            self.children.discard(pid)

    # -- in the snapshot process, once it is woken -------------------------------------------------------------------

    def _wake_up(self, pools: list, moment: Moment, before: "set[int]") -> str:
        """Becomes the live process. Errors go to pid 1: this process has no other connection yet."""
        link = self._spare
        try:
            self.link.socket.detach()  # its number may be another descriptor's by now
            channel = self._leave_copy(link)
            run_callbacks()
            self._drain.forked()
            forget_threads(pools)
            self._lost_threads = _threads_running()
        except BaseException as error:
            fault = f"the copy of the process could not be kept ({type(error).__name__}: {error})"
            try:
                link.send({"failed": fault[:500]})
            finally:
                os._exit(1)
        self._wake(channel, moment)
        self._forked(before)
        return WOKEN

    def _leave_copy(self, link: Link) -> int:
        """A copy takes this process's place, so that the snapshot can be woken again. Gives the new connection to the
        host.
        """
        while True:
            os.closerange(RESERVED.start, RESERVED.stop)
            packet = link.recv()
            if packet is None or len(packet.fds) != 3:
                os._exit(0)
            channel, keep, spare = packet.fds
            kept = Link.of(keep)
            pid = fork_stopped(kept, self._channel, (link.fileno(), channel, spare))
            if pid == 0:
                link.socket.detach()
                link = kept
                continue
            kept.close()
            link.send({"awake": True})
            break
        self.children.clear()  # the others were the dead process's
        self.children.add(pid)
        self.link, self._spare = link, Link.of(spare)
        return channel

    def _wake(self, channel: int, moment: Moment) -> None:
        os.dup2(channel, self._channel, inheritable=False)
        os.close(channel)
        for fd in RESERVED:
            os.dup2(NULL, fd, inheritable=False)
        self._drain.open()
        for file in moment.files:
            self._reopen(*file)
        for path in (moment.folder, self._roots[0]):
            try:
                if path is not None:
                    os.chdir(path)
                    break
            except OSError:
                continue
        self._guest.bindings.reseed()  # two processes restored from one snapshot must not draw the same random numbers
        self.due = False

    def _folder(self) -> "str | None":
        try:
            return os.getcwd()
        except OSError:
            return None

    def _open_files(self) -> "list[tuple]":
        """Open files of the REPL's own: positions are shared with the live process, which will move them."""
        found: "list[tuple]" = []
        try:
            names = os.listdir("/proc/self/fd")
        except OSError:
            return found  # without namespaces /proc is out of sight
        own = {self._spare.fileno(), *self._drain.descriptors}
        for name in names:
            fd = int(name)
            if fd <= 2 or fd >= self._channel or fd in own:
                continue
            try:
                path = os.readlink(f"/proc/self/fd/{name}")
                if path.startswith(self._roots) and not path.endswith(" (deleted)"):
                    found.append((fd, path, fcntl.fcntl(fd, fcntl.F_GETFL), os.lseek(fd, 0, os.SEEK_CUR)))
            except OSError:
                continue
        return found

    def _reopen(self, fd: int, path: str, flags: int, at: int) -> None:
        try:
            fresh = os.open(path, (flags & _REOPEN) | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return
        os.dup2(fresh, fd, inheritable=False)
        os.close(fresh)
        try:
            os.lseek(fd, at, os.SEEK_SET)
        except OSError:
            pass
