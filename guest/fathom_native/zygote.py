"""pid 1 of the box. Imports once, then forks a supervisor for each connection that asks for a REPL."""

import gc
import json
import os
import select
import signal
import socket
import struct
from collections.abc import Callable

from . import images
from .box import enter
from .box.kernel import fork_into, set_process_name
from .box.networks import Networks
from .fork_callbacks import expect_own_fork
from .image_loader import load_image
from .supervisor import Supervisor
from .live_process import Settings
from .preload import COMMON, preload_one
from .wire import Link, Packet, pair

#: Seconds a connection may take to say what it is for. The host writes it with the connection.
_PREAMBLE_PATIENCE = 30.0
#: Milliseconds of quiet after which something is done for later: a module imported, a spare REPL made.
_QUIET_MS = 3
_LENGTH = struct.Struct("<H")


class Spare:
    """A supervisor with its live process, ready for a host that asks for these limits."""

    __slots__ = ("link", "options")

    def __init__(self, link: Link, options: dict) -> None:
        self.link = link
        self.options = options


class Zygote:
    """Forks supervisors, makes images of contexts, and passes descriptors on to where they belong."""

    def __init__(self, *, listener: socket.socket, launcher: Link, settings: Settings, token: str) -> None:
        self._listener = listener
        self._launcher = launcher
        self._settings = settings
        self._token = token
        self._repls: "dict[int, Link]" = {}
        self._spare: "Spare | None" = None
        #: Limits of the last REPL: the next one will most likely have the same.
        self._likely: "dict | None" = None
        self._supervisors = 0
        self._networks = None if settings.mode == "rules" else Networks()
        self._to_import = list(COMMON)
        self._images: "dict[int, tuple[int, dict]]" = {}
        self._loaders: "dict[int, tuple[Link, int]]" = {}
        self._images_work: "bool | None" = None
        self._poll = select.poll()
        #: The function to call, and its arguments, when a descriptor is readable.
        self._watched: "dict[int, tuple[Callable, tuple]]" = {}

    def run(self) -> None:
        """Serves until the launcher goes."""
        set_process_name("zygote")
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._watch(self._listener, self._connected)
        self._watch(self._launcher, self._from_launcher)
        while True:
            wants_spare = self._spare is None and self._likely is not None
            ready = self._poll.poll(_QUIET_MS if wants_spare or self._to_import else None)
            for fd, entry in [(fd, self._watched[fd]) for fd, _ in ready]:
                if self._watched.get(fd) is entry:  # an earlier one may have closed it
                    call, arguments = entry
                    call(*arguments)
            if not ready and wants_spare and not self._to_import:
                self._make_spare()
            elif not ready and self._to_import:
                preload_one(self._to_import)
            self._reap()

    def _watch(self, source: "socket.socket | Link", call: "Callable", *arguments: int) -> None:
        self._watched[source.fileno()] = call, arguments
        self._poll.register(source.fileno(), select.POLLIN)

    def _close(self, link: Link) -> None:
        """Closes a watched link."""
        del self._watched[link.fileno()]
        self._poll.unregister(link.fileno())
        link.close()

    def _reap(self) -> None:
        try:
            while pid := os.waitpid(-1, os.WNOHANG)[0]:
                if self._networks is not None:
                    self._networks.ended(pid)
        except ChildProcessError:
            pass

    # -- connections -----------------------------------------------------------------------------------------------

    def _connected(self) -> None:
        connection, _ = self._listener.accept()
        try:
            wanted = self._preamble(connection)
        except (OSError, ValueError):
            connection.close()
            return
        if wanted.get("token") != self._token:
            connection.close()
        elif wanted["kind"] == "channel":
            self._pass_on(wanted["id"], Packet({"channel": True}, [connection.detach()], 0))
        else:
            self._open_repl(connection, wanted)

    def _preamble(self, connection: socket.socket) -> dict:
        connection.settimeout(_PREAMBLE_PATIENCE)
        size = _LENGTH.unpack(_exactly(connection, _LENGTH.size))[0]
        wanted = json.loads(_exactly(connection, size))
        connection.settimeout(None)
        return wanted

    def _open_repl(self, control: socket.socket, wanted: dict) -> None:
        """Gives the connection to a supervisor: the spare one if it fits, or else a new one."""
        options = {name: wanted[name] for name in ("memory", "disk", "contexts", "processes", "threads", "snapshots")}
        probe = wanted.get("probe")
        if self._spare is not None and self._spare.options == options and probe is None:
            link, self._spare = self._spare.link, None
        else:
            self._drop_spare()
            try:
                link = self._fork_supervisor({**options, "probe": probe})
            except OSError as error:
                control.sendall(json.dumps({"event": "refused", "reason": str(error)}).encode() + b"\n")
                control.close()
                return
        if probe is None:
            self._likely = options if wanted.get("spare", True) else None
        try:
            link.send({"adopt": True}, [control.fileno()])
            self._repls[wanted["id"]] = link
            self._watch(link, self._repl_ended, wanted["id"])
        except OSError:
            if link.fileno() in self._watched:
                self._close(link)
            else:
                link.close()
        control.close()

    def _make_spare(self) -> None:
        """A REPL made before a host asks for it, so that the next one opens at once."""
        options = self._likely
        if options is None:
            return
        try:
            self._spare = Spare(self._fork_supervisor({**options, "probe": None}), options)
            self._watch(self._spare.link, self._drop_spare)
        except OSError:
            self._likely = None  # the machine is short of something: no spares until the next REPL

    def _drop_spare(self) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            self._close(spare.link)

    def _fork_supervisor(self, options: dict) -> Link:
        self._reap()  # a REPL that has ended leaves its network namespace
        self._supervisors += 1
        options["number"] = self._supervisors
        link, supervisor_end = pair()
        pid = -1
        gc.freeze()  # a collection writes to each object that it looks at, and the kernel copies each page
        expect_own_fork(True)  # the live process runs the callbacks, the supervisor uses none of the modules
        try:
            flags = enter.supervisor_flags(self._settings.mode)
            pid = fork_into(flags) if self._networks is None else self._networks.fork(lambda: fork_into(flags))
        except OSError:
            link.close()
            supervisor_end.close()
            raise
        finally:
            if pid != 0:
                expect_own_fork(False)
        if pid == 0:
            self._become_supervisor(link, supervisor_end, options)
        supervisor_end.close()
        return link

    def _become_supervisor(self, zygote_end: Link, link: Link, options: dict) -> None:
        try:
            others = [self._listener, self._launcher, zygote_end, *self._repls.values()]
            others += [loader for loader, _ in self._loaders.values()]
            for other in others:
                other.close()
            for fd, _ in self._images.values():
                os.close(fd)
            if self._networks is not None:
                self._networks.forget()
            Supervisor(zygote=link, options=options, settings=self._settings).run()
        except SystemExit:
            pass
        except BaseException as error:
            os.write(2, f"supervisor: {type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(0)

    def _repl_ended(self, ident: int) -> None:
        link = self._repls[ident]
        try:
            if link.recv() is not None:
                return
        except OSError:
            pass
        del self._repls[ident]
        self._close(link)

    def _pass_on(self, ident: int, packet: Packet) -> bool:
        link = self._repls.get(ident)
        sent = False
        if link is not None:
            try:
                link.send(packet.fields, packet.fds)
                sent = True
            except OSError:
                pass  # the REPL is ending
        for fd in packet.fds:
            os.close(fd)
        return sent

    # -- files and images ------------------------------------------------------------------------------------------

    def _from_launcher(self) -> None:
        packet = self._launcher.recv()
        if packet is None:
            os._exit(0)
        fields = packet.fields
        if "give" in fields:
            self._give(fields, packet.fds)
        elif "unpack" in fields:
            self._pass_on(fields["repl"], Packet({"unpack": fields["unpack"]}, packet.fds, 0))
        elif "image" in fields:
            self._load(fields, packet.fds[0])
        elif "drop" in fields:
            held = self._images.pop(fields["drop"], None)
            if held is not None:
                os.close(held[0])

    def _give(self, fields: dict, fds: "list[int]") -> None:
        """A file, or an image made before, goes to a REPL under the number the host gave it."""
        message = {"source": fields["source"]}
        if fds:
            message["bytes"] = fields["bytes"]
        else:
            image, shape = self._images[fields["give"]]
            message.update(shape)
            fds = [os.dup(image)]
        self._pass_on(fields["repl"], Packet(message, fds, 0))

    def _load(self, fields: dict, source: int) -> None:
        """Has a child process turn a file into an image, or say that it cannot."""
        if self._images_work is None:
            self._images_work = images.usable()
        if not self._images_work:
            os.close(source)
            self._launcher.send({"imaged": fields["image"], "error": "this Python's strings cannot be mapped"})
            return
        link, loader_end = pair()
        pid = os.fork()
        if pid == 0:
            load_image(loader_end, source, fields)
        os.close(source)
        loader_end.close()
        self._loaders[fields["image"]] = (link, pid)
        self._watch(link, self._loaded, fields["image"])

    def _loaded(self, ident: int) -> None:
        link, _ = self._loaders.pop(ident)
        packet = link.recv()
        self._close(link)
        if packet is None or not packet.fds:
            reason = "the loader ended" if packet is None else packet.fields.get("error", "")
            self._launcher.send({"imaged": ident, "error": reason})
            return
        self._images[ident] = (packet.fds[0], packet.fields)
        self._launcher.send({"imaged": ident})


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise ValueError("the connection ended")
        data += piece
    return data
