"""Makes the live process: a fork of the keeper with nothing left but its own descriptors, inside of all limits."""

import os
import signal
import sys
from dataclasses import dataclass, field

from .box import enter
from .box.kernel import set_process_name
from .wire import Link

#: Where the REPL's connection to the host lies, out of the way of what cells open.
_CHANNEL, _LINK, _SPARE = 1000, 1001, 1002
_FIRST_UNUSED = 3


@dataclass
class Settings:
    """What all REPLs of a zygote have in common."""

    mode: str
    scratch: str
    interpreter: "list[str]"
    program: bytes
    landlock: bool = True
    packages: "list[str]" = field(default_factory=list)


def start_live(*, channel: int, link: Link, spare: Link, options: dict, settings: Settings, roots: "list[str]") -> int:
    """Forks the live process; it serves the host until it ends."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        _become_live(channel, link, spare, options, settings, roots)
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


def _become_live(
    channel: int, link: Link, spare: Link, options: dict, settings: Settings, roots: "list[str]"
) -> None:
    os.setsid()  # a group to kill at once, and a fair share of the processor for its keeper
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    numbers = _place_descriptors(channel, link, spare)
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
    if options.get("probe"):
        from .selftest import run_probe

        run_probe(numbers[0], options["probe"], reached)
        return
    from .live import run_live

    run_live(channel=numbers[0], link=Link.of(numbers[1]), spare=Link.of(numbers[2]), roots=roots, packages=settings.packages)


def _place_descriptors(channel: int, link: Link, spare: Link) -> "tuple[int, int, int]":
    """Keeps 0 to 2 and our three, closes everything else. Descriptor 0 is empty."""
    wanted = [os.dup(fd) for fd in (channel, link.fileno(), spare.fileno())]
    numbers = (_CHANNEL, _LINK, _SPARE)
    for fd, number in zip(wanted, numbers):
        os.dup2(fd, number, inheritable=False)
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.closerange(_FIRST_UNUSED, numbers[0])
    os.closerange(numbers[-1] + 1, 65536)
    return numbers
