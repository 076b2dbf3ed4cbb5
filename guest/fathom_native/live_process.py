"""Makes the live process: a fork of the keeper with nothing left but its own descriptors, inside of all limits."""

import os
import signal
import sys
from dataclasses import dataclass

from .box import enter
from .box.kernel import set_process_name
from .live import Live
from .selftest import run_probe
from .wire import Link

#: Where the REPL's connection to the host lies, out of the way of what cells open.
CHANNEL = 1000
_LINK, _SPARE = 1001, 1002
_FIRST_UNUSED = 3


@dataclass
class Settings:
    """What all REPLs of a zygote have in common."""

    mode: str
    scratch: str
    interpreter: "list[str]"
    program: bytes
    live: Live


def start_live(*, link: Link, spare: Link, options: dict, settings: Settings, roots: "list[str]") -> int:
    """Forks the live process. It boxes itself, waits for its connection and serves the host until that ends."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        _become_live(link, spare, options, settings, roots)
        code = 0
    except BaseException as error:
        # Descriptor 2 is the host's log until the REPL has pipes of its own.
        if not isinstance(error, SystemExit):
            try:
                os.write(2, f"the REPL could not start: {type(error).__name__}: {error}\n".encode())
            except OSError:
                pass
    finally:
        os._exit(code)


def _become_live(link: Link, spare: Link, options: dict, settings: Settings, roots: "list[str]") -> None:
    os.setsid()  # a group to kill at once, and a fair share of the processor for its keeper
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    _place_descriptors(link, spare)
    os.chdir(roots[0])
    os.umask(0o022)
    if settings.mode == "rules":
        os.environ["HOME"], os.environ["TMPDIR"] = roots[2], roots[1]
    reached = enter.box_live(
        settings.mode,
        limited=options,
        folders=roots,
        interpreter=settings.interpreter,
        program=settings.program,
    )
    set_process_name("repl")
    sys.path[:] = ["", *[path for path in sys.path if path and os.path.isdir(path)]]
    link = Link.of(_LINK)
    packet = link.recv()
    if packet is None or "begin" not in packet.fields:
        return
    os.dup2(packet.fds[0], CHANNEL, inheritable=False)
    os.close(packet.fds[0])
    if options["probe"] is not None:
        run_probe(CHANNEL, options["probe"], reached)
    else:
        settings.live.run(link=link, spare=Link.of(_SPARE), roots=roots)


def _place_descriptors(link: Link, spare: Link) -> None:
    """Keeps 0 to 2 and our own, closes everything else. Descriptor 0 is empty."""
    for fd, number in ((link.fileno(), _LINK), (spare.fileno(), _SPARE)):
        os.dup2(fd, number, inheritable=False)
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(null, CHANNEL, inheritable=False)  # keeps the place until the connection comes
    os.closerange(_FIRST_UNUSED, CHANNEL)
    os.closerange(_SPARE + 1, 65536)
