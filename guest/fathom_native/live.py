"""The REPL itself: fathom_guest over a socket, with snapshots by fork, fd-level output, bash and mapped contexts."""

from fathom_guest.own import own_builtins as __builtins__

from threading import get_ident

from fathom_guest.errors import CommandError
from fathom_guest.frames import COMMAND, decode_frame
from fathom_guest.guest import Guest

from .cell_modules import hide_children, let_asyncio_watch_children, quiet_forks
from .drain import Drain
from .freeze import WOKEN, Freezer
from .images import open_image
from .own_modules import mmap, os, select
from .prompt_transport import PromptTransport
from .shell import Shell
from .wire import Link, Packet

_CHANGING = ("execute", "bash", "bind", "set", "answer")
_RUNNING = ("execute", "bash")


class RestingTransport(PromptTransport):
    """Frames, and between commands the supervisor's messages and the automatic snapshot.

    A snapshot is due after each cell. It is made while the host works on the result; after a cell that gave an answer,
    and so most likely was the last, it is made when pid 1 asks for it. Before each cell the host asks pid 1 for it: no
    cell but the first runs without a snapshot of the moment before it.
    """

    def __init__(self, fd: int, live: "Live") -> None:
        super().__init__(fd)
        self._live = live
        self._main = get_ident()

    def recv_frame(self) -> "memoryview | None":
        live = self._live
        if live.guest.channel.command_id or get_ident() != self._main:
            return super().recv_frame()
        while True:
            live.rest(self)
            frame = super().recv_frame()
            if frame is None:
                return None
            kind, _, header, _ = decode_frame(frame)
            operation = header.get("op") if kind == COMMAND else None
            if operation in _CHANGING:
                live.freezer.due = True
                live.ran = operation in _RUNNING
            return frame

    def restart(self) -> None:
        """A new connection: what was read of the old one is void."""
        self._data = b""
        self._at = 0


class Live:
    """One REPL's process. Made in the zygote, once for all REPLs; `run` is where a REPL's own life begins."""

    def __init__(self, channel: int, packages: "list[str]") -> None:
        self.transport = RestingTransport(channel, self)
        self.guest = Guest(self.transport, threads=True, load_file=self._load)
        self.drain = Drain(self.guest)
        self.shell = Shell(self.guest, self.drain)
        self.freezer = Freezer(guest=self.guest, drain=self.drain, channel=channel)
        #: A cell or bash command ran since the last rest.
        self.ran = False
        self._sources: "dict[int, object]" = {}
        self._channel = channel
        self._poll = select.poll()
        self._watched: "tuple[int, ...]" = ()
        guest = self.guest
        guest.packages = packages
        guest.operations["bash"] = self.shell.serve
        execute = guest.operations["execute"]

        def execute_drained(header: dict, parts: list) -> tuple:
            self.drain.start()
            return execute(header, parts)

        guest.operations["execute"] = execute_drained
        guest.after_cell = self.drain.finish
        hide_children(self.freezer.children)
        let_asyncio_watch_children()
        quiet_forks()
        guest.channel.expect_own_forks(True)  # zygote to supervisor, supervisor to live process

    def run(self, *, link: Link, spare: Link, roots: "list[str]") -> None:
        """Serves the host until it goes."""
        self.guest.channel.expect_own_forks(False)
        self.transport.open()
        self.freezer.begin(link=link, spare=spare, roots=roots)
        self.drain.open()
        self.guest.serve_forever()

    def rest(self, transport: RestingTransport) -> None:
        """Between two commands. Returns when there is a frame to read."""
        while not transport.has_frame():
            if self.ran:
                self.ran = False
                if not self.guest.answered and self.freezer.take() == WOKEN:
                    transport.restart()
                continue
            while self.freezer.backlog:
                self._serve_supervisor(self.freezer.backlog.pop(0), transport)
            if self._supervisor_speaks():
                packet = self.freezer.link.recv()
                if packet is None:
                    os._exit(0)
                self._serve_supervisor(packet, transport)
            else:
                return

    def _supervisor_speaks(self) -> bool:
        """Waits for the host or the supervisor. True when there is a packet of the supervisor's, which comes first."""
        link = self.freezer.link.fileno()
        if link not in self._watched:
            self._poll = select.poll()
            self._watched = (link, self._channel)
            for fd in self._watched:
                self._poll.register(fd, select.POLLIN)
        for fd, _ in self._poll.poll():
            if fd == link:
                return True
        return False

    def _serve_supervisor(self, packet: Packet, transport: RestingTransport) -> None:
        fields = packet.fields
        if "freeze" in fields:
            if not self.freezer.due:
                # Nothing has changed since the last snapshot process.
                self.freezer.link.send({"current": fields["freeze"]})
            elif self.freezer.take() == WOKEN:
                transport.restart()
        elif "source" in fields:
            self._take_source(packet)

    def _take_source(self, packet: Packet) -> None:
        """A file or image to bind, by descriptor. The result goes back to the host by way of the supervisor."""
        fields = packet.fields
        fd = packet.fds[0]
        try:
            if "kind" in fields:
                content: object = open_image(fd, fields["kind"], fields["length"])
            elif fields["bytes"] == 0:
                content = b""
            else:
                content = mmap.mmap(fd, fields["bytes"], flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
            self._sources[fields["source"]] = content
            self.freezer.link.send({"has": fields["source"]})
        except Exception as error:
            self.freezer.link.send({"has": fields["source"], "error": str(error)})
        finally:
            os.close(fd)

    def _load(self, value: dict) -> object:
        """Loads the value behind a file value in `bind`."""
        try:
            return self._sources.pop(value["source"])
        except KeyError:
            raise CommandError("repl-failure", "the file did not reach the REPL") from None
