"""Makes the live process: a fork of the supervisor with nothing left but its own descriptors, inside of all limits."""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from .box import enter
from .box.kernel import set_process_name
from .folders import Folders
from .fork_callbacks import expect_own_fork, run_callbacks
from .descriptors import CHANNEL, FIRST_AFTER, FIRST_OF_CELLS, LINK, NULL, RESERVED, SPARE
from .live import Live
from .selftest import run_probe
from .wire import Link


@dataclass
class Settings:
    """Settings that all REPLs of a zygote share."""

    mode: str
    scratch: str
    interpreter: "list[str]"
    program: bytes
    live: Live


def start_live(*, link: Link, spare: Link, options: dict, settings: Settings, folders: Folders) -> int:
    """Forks the live process. It boxes itself, waits for its connection and serves the host until that ends."""
    expect_own_fork(True)
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        expect_own_fork(False)
        run_callbacks()
        serve = _become_live(link, spare, options, settings, folders)
        # From here on nothing of ours may be said aloud: descriptors 1 and 2 become the cells' own.
        code = 0 if serve is None else _serve(serve)
    except BaseException as error:
        if not isinstance(error, SystemExit):
            _report(f"{type(error).__name__}: {error}")
    finally:
        os._exit(code)


def _serve(serve: "Callable[[], None]") -> int:
    try:
        serve()
        return 0
    except BaseException:
        return 1  # pid 1 reports that the process has ended; a snapshot process has reported by itself


def _report(fault: str) -> None:
    """Why the process cannot start, for the host. Without a link it goes to the host's log, which 2 still is."""
    try:
        Link.of(LINK).send({"fault": fault[:500]})
    except OSError:
        os.write(2, f"a REPL could not start: {fault}\n".encode())


def _become_live(
    link: Link, spare: Link, options: dict, settings: Settings, folders: Folders
) -> "Callable[[], None] | None":
    """Boxes this process and waits for its connection. Gives what serves the host; None when the host has gone."""
    os.setsid()  # a group to kill at once, and a fair share of the processor for its supervisor
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    _place_descriptors(link, spare)
    roots = folders.seen
    os.chdir(roots[0])
    os.umask(0o022)
    if settings.mode == "rules":
        os.environ["HOME"], os.environ["TMPDIR"] = roots[2], roots[1]
    reached = enter.box_live(
        settings.mode,
        limited=options,
        folders=roots,
        readable=[*settings.interpreter, *folders.readable],
        program=settings.program,
    )
    set_process_name("repl")
    sys.path[:] = ["", *[path for path in sys.path if path and os.path.isdir(path)]]
    own_link = Link.of(LINK)
    packet = own_link.recv()
    if packet is None or "begin" not in packet.fields:
        return None
    os.dup2(packet.fds[0], CHANNEL, inheritable=False)
    os.close(packet.fds[0])
    if options["probe"] is not None:
        return partial(run_probe, CHANNEL, options["probe"], reached)
    return partial(settings.live.run, link=own_link, spare=Link.of(SPARE), roots=roots)


def _place_descriptors(link: Link, spare: Link) -> None:
    """Keeps 0 to 2 and our own, closes everything else. Descriptor 0 is empty."""
    for fd, number in ((link.fileno(), LINK), (spare.fileno(), SPARE)):
        os.dup2(fd, number, inheritable=False)
    os.dup2(os.open("/dev/null", os.O_RDWR), NULL, inheritable=False)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    for number in (CHANNEL, *RESERVED):  # the first keeps the place until the connection comes
        os.dup2(NULL, number, inheritable=False)
    os.closerange(FIRST_OF_CELLS, CHANNEL)
    os.closerange(FIRST_AFTER, 65536)
