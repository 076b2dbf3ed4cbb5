"""bash in the same box: same files, same working folder, same environment as the cells."""

from fathom_guest.own import own_builtins as __builtins__

from time import monotonic

from fathom_guest.errors import CommandError
from fathom_guest.frames import decode_text
from fathom_guest.guest import Guest

from .drain import Drain
from .own_modules import os, select, signal

_SHELLS = ("/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash", "/bin/sh")
#: Seconds between SIGINT and SIGKILL.
_GRACE = 0.2
#: As shells count an end by SIGINT.
_INTERRUPTED = 130


def find_shell() -> "str | None":
    """The best shell there is."""
    for path in _SHELLS:
        if os.access(path, os.X_OK):
            return path
    return None


class Shell:
    """Serves `bash`."""

    def __init__(self, guest: Guest, drain: Drain) -> None:
        self._guest = guest
        self._drain = drain
        self.path = find_shell()

    def serve(self, header: dict, parts: "list[memoryview]") -> "tuple[dict, tuple]":
        """Runs one command to its end, or until the host interrupts."""
        if self.path is None:
            raise CommandError("repl-failure", "there is no shell on this machine")
        guest = self._guest
        guest.output.begin()
        guest.interrupts.install()
        self._drain.start()
        pid = self._spawn(decode_text(parts[0]))
        try:
            guest.interrupts.enter()
            try:
                code = self._wait(pid)
            finally:
                guest.interrupts.leave()
        except KeyboardInterrupt:
            self._end(pid)
            code = None
        self._drain.finish()
        guest.output.end()
        return {"exit_code": _INTERRUPTED if code is None else code}, ()

    def _spawn(self, command: str) -> int:
        arguments = [self.path, "-c", command.replace("\0", "")]
        try:
            environment = dict(os.environ)
        except BaseException:
            environment = {}
        try:
            return os.posix_spawn(
                self.path, arguments, environment, setsid=True, setsigmask=(), setsigdef=(signal.SIGINT, signal.SIGPIPE)
            )
        except OSError as error:
            raise CommandError("repl-failure", f"the shell cannot be started: {error.strerror}") from None

    def _wait(self, pid: int) -> int:
        """The exit code as shells count it. The host watches the time and interrupts."""
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return code if code >= 0 else 128 - code

    def _end(self, pid: int) -> None:
        """Ends the command and what shares its process group."""
        for number, seconds in ((signal.SIGINT, _GRACE), (signal.SIGKILL, None)):
            try:
                os.killpg(pid, number)
            except OSError:
                pass
            end = None if seconds is None else monotonic() + seconds
            while end is None or monotonic() < end:
                try:
                    if os.waitpid(pid, 0 if end is None else os.WNOHANG)[0] != 0:
                        end = None
                        break
                except ChildProcessError:
                    break
                select.select((), (), (), 0.005)
            if number == signal.SIGKILL:
                return
