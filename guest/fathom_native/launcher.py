"""Outside the box: starts the zygote, opens files for it on the host's word, and ends with the host.

The host speaks one JSON object per line on our standard input and reads the same from our standard output. When the
input ends (the host was closed or killed), we end; the kernel then ends the zygote, pid 1 of its namespace, and with
it every process of every REPL.
"""

import json
import os
import select
import shutil
import signal
import site
import socket
import sys
import time

from .box import enter, landlock, seccomp
from .box.kernel import PR_SET_PDEATHSIG, fork_into, prctl, set_command_line, set_process_name, supported
from .decoys import Decoys
from .descriptors import CHANNEL
from .fork_callbacks import callbacks_put_off
from .host_files import Unusable, fill_pack, open_file
from .images import new_image
from .live import Live
from .live_process import Settings
from .wire import Link, pair
from .zygote import Zygote

_BOX_PATIENCE = 10.0
_PIECE = 1024 * 1024


class Launcher:
    """One zygote and its broker for files."""

    def __init__(self, config: dict) -> None:
        self._config = config
        self._inbox = b""
        self._link: "Link | None" = None
        self._zygote = 0
        self._decoys: "Decoys | None" = None

    def run(self) -> None:
        """Serves until the host goes."""
        signal.signal(signal.SIGTERM, end_quietly)
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        set_process_name("launcher")
        set_command_line("fathom-python")
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        folder = self._config["folder"]
        try:
            self._start()
            self._serve()
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # nothing stops us from tidying up
            self._end_zygote()
            if self._decoys is not None:
                self._decoys.close()
            shutil.rmtree(folder, ignore_errors=True)

    def _end_zygote(self) -> None:
        """Ends everything: the zygote is pid 1 of its namespace, and is waited for."""
        if self._zygote > 0:
            os.kill(self._zygote, signal.SIGKILL)
            os.waitpid(self._zygote, 0)

    # -- starting ----------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if not supported():
            raise SystemExit("this machine's system calls are not known to Fathom")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"{self._config['folder']}/socket")
        listener.listen(1024)
        refused = []
        for mode in self._modes():
            for flags in enter.zygote_flags(mode):
                started = time.perf_counter()
                problem = self._try(mode, flags, listener)
                if problem is None:
                    boxed = (time.perf_counter() - started) * 1e3
                    listener.close()
                    self._say(
                        ready=True, mode=mode, refused=refused, short=self._short, boxMs=boxed, landlock=landlock.abi()
                    )
                    return
                refused.append({"mode": mode, "reason": problem})
        self._say(ready=False, refused=refused)
        raise SystemExit(1)

    def _modes(self) -> "list[str]":
        wanted = self._config.get("modes") or list(enter.MODES)
        return [mode for mode in wanted if mode != "root" or os.geteuid() == 0]

    def _try(self, mode: str, flags: int, listener: socket.socket) -> "str | None":
        """A zygote in that mode; gives the reason when it cannot be had."""
        if mode == "rules" and landlock.abi() == 0:
            return "this kernel has no Landlock"
        link, zygote_end = pair()
        identity = {"uid": os.geteuid(), "gid": os.getegid()}
        try:
            pid = fork_into(flags)
        except OSError as error:
            return str(error)
        if pid == 0:
            link.close()
            become_zygote(mode, listener, zygote_end, self._config, identity)
        zygote_end.close()
        try:
            packet = link.recv(_BOX_PATIENCE)
        except OSError:
            packet = None
        if packet is None or "refused" in packet.fields:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return "the zygote ended" if packet is None else str(packet.fields["refused"])
        self._link, self._zygote = link, pid
        self._short = packet.fields["short"]
        return None

    # -- serving -----------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        link = self._link
        if link is None:
            return
        poll = select.poll()
        poll.register(0, select.POLLIN)
        poll.register(link.fileno(), select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if not (self._from_host(link) if fd == 0 else self._from_zygote(link)):
                    return

    def _from_host(self, link: Link) -> bool:
        data = os.read(0, 65536)
        if not data:
            return False
        self._inbox += data
        while b"\n" in self._inbox:
            line, _, self._inbox = self._inbox.partition(b"\n")
            order = json.loads(line)
            if "files" in order:
                self._pack(link, order)
            elif "inline" in order:
                self._take_inline(link, order)
            elif "decoys" in order:
                self._set_out_decoys(order["decoys"])
            else:
                self._do(link, order)
        return True

    def _take_inline(self, link: Link, order: dict) -> None:
        """A text that follows the order as so many bytes: into a memory file, never onto a disk."""
        left = order.pop("inline")
        order.update(bytes=left, own=True)
        fd = new_image()
        try:
            piece = self._inbox[:left]
            self._inbox = self._inbox[left:]
            while True:
                left -= len(piece)
                while piece:
                    piece = piece[os.write(fd, piece) :]
                if left == 0:
                    break
                piece = os.read(0, min(left, _PIECE))
                if not piece:
                    return  # the host has gone
            link.send(order, [fd])
        finally:
            os.close(fd)

    def _pack(self, link: Link, order: dict) -> None:
        """Files to be shown to cells as files: into one memory file, behind a line of JSON that lists them."""
        files = order.pop("files")
        pack = new_image()
        try:
            fill_pack(pack, files)
            link.send(order, [pack])
        except Unusable as unusable:
            self._say(failed=order["unpack"], path=unusable.path, error=unusable.reason, code=unusable.code)
        finally:
            os.close(pack)

    def _set_out_decoys(self, wanted: bool) -> None:
        """For the proof: objects of the host's, for as long as it takes."""
        if self._decoys is not None:
            self._decoys.close()
        self._decoys = None
        if wanted:
            self._decoys = Decoys(self._config["folder"])
            self._say(decoys=self._decoys.describe())

    def _do(self, link: Link, order: dict) -> None:
        path = order.pop("path", None)
        if path is None:
            link.send(order)
            return
        expected = order.pop("expect")
        identity = order.pop("identity", None)
        try:
            fd = open_file(path, expected, identity)
        except OSError as error:
            ident = order.get("image", order.get("source"))
            self._say(failed=ident, path=path, error=error.strerror or str(error), code=error.errno)
            return
        try:
            order["bytes"] = expected
            link.send(order, [fd])
        finally:
            os.close(fd)

    def _from_zygote(self, link: Link) -> bool:
        packet = link.recv()
        if packet is None:
            return False
        self._say(**packet.fields)
        return True

    def _say(self, **fields: object) -> None:
        os.write(1, json.dumps(fields).encode() + b"\n")


def end_quietly(number: int, frame: object) -> None:
    """The host has gone, or a signal asks us to end."""
    raise SystemExit


def become_zygote(mode: str, listener: socket.socket, link: Link, config: dict, identity: dict) -> None:
    """The child's side: boxes itself, reports to the launcher, serves. Never returns."""
    try:
        interpreter = config["interpreter"]
        short = enter.box_zygote(
            mode,
            uid=identity["uid"],
            gid=identity["gid"],
            scratch=f"{config['folder']}/root",
            interpreter=interpreter,
            executable=sys.executable,
        )
        program = seccomp.assemble(namespaces=mode != "rules")
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1):
            os.dup2(null, fd)
        os.close(null)
        link.send({"short": short})
        site.main()  # we were started without: what installed packages do at start, they do in the box
        # After `site`, which adds builtins: else the guard finds them changed in every REPL.
        with callbacks_put_off():
            live = Live(CHANNEL, config["packages"])
        settings = Settings(
            mode=mode, scratch=f"{config['folder']}/repls", interpreter=interpreter, program=program, live=live
        )
        Zygote(listener=listener, launcher=link, settings=settings, token=config["token"]).run()
    except BaseException as error:
        try:
            link.send({"refused": f"{type(error).__name__}: {error}"[:500]})
        except OSError:
            pass
    finally:
        os._exit(0)
