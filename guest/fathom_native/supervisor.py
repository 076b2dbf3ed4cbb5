"""pid 1 of one REPL. Knows the host's line, the live process, the snapshot processes and the files."""

import os
import select
import signal
import socket

from .box.kernel import set_process_name
from .file_tree import remove
from .files import FileStore
from .folders import make_folders
from .host_line import HostLine
from .live_handle import LiveHandle
from .live_process import Settings
from .processes import Population, how_it_ended, send
from .snapshots import Refusal, Snapshots
from .snapshot_maker import SnapshotMaker
from .watch import Watch
from .wire import Link, pair

#: Seconds until something that takes milliseconds counts as lost.
_PATIENCE = 10.0


class Supervisor:
    """One REPL."""

    _host: HostLine

    def __init__(self, *, zygote: Link, options: dict, settings: Settings) -> None:
        set_process_name("supervisor")
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._zygote = zygote
        scratch = f"{settings.scratch}/{options['number']}"
        folders = make_folders(settings.mode, scratch, options=options, interpreter=settings.interpreter)
        self._scratch = folders.scratch
        self._population = Population(namespaced=folders.scratch is None)
        self._files = FileStore(folders.root, folders.store, own=folders.scratch is None)
        self._snapshots = Snapshots(
            files=self._files, most=options["snapshots"], memory=options["memory"], population=self._population
        )
        self._contexts = folders.contexts
        self._live = LiveHandle(zygote=zygote, options=options, settings=settings, folders=folders)
        self._maker = SnapshotMaker(live=self._live, snapshots=self._snapshots, given_up=lambda: self._host.wants_end())
        self._watch = Watch(
            population=self._population,
            memory=options["memory"],
            processes=options["processes"],
            threads=options["threads"],
        )
        #: A cell or bash command runs.
        self._running = False
        #: Packets the live process sent at rest, before the host had reported that the command was over.
        self._early: "dict | None" = None

    def run(self) -> None:
        """Serves until the host closes the REPL or goes."""
        try:
            self._live.prepare()
            self._host = HostLine(self._adopted())
            self._live.begin(self._live.take_channel(_PATIENCE))
            while self._step():
                pass
        finally:
            self._population.sweep(set())
            if self._scratch is not None:
                remove(self._scratch)

    def _adopted(self) -> socket.socket:
        """Waits until a host wants this REPL."""
        packet = self._zygote.recv()
        if packet is None or "adopt" not in packet.fields:
            raise SystemExit
        return socket.socket(fileno=packet.fds[0])

    def _step(self) -> bool:
        """Waits for something to happen and deals with it, the host's word first. False when the REPL is to end."""
        live, expected = self._live, self._maker.link
        poll = select.poll()
        for link in (self._host, self._zygote, live.link, expected):
            if link is not None:
                poll.register(link.fileno(), select.POLLIN)
        if live.watch >= 0:
            poll.register(live.watch, select.POLLIN)
        ready = {fd for fd, _ in poll.poll(self._watch.timeout())}
        if self._host.fileno() in ready:
            if not self._from_host():
                return False
        elif self._zygote.fileno() in ready:
            if not self._from_zygote():
                return False
        elif live.watch in ready:
            self._ended()
        elif expected is not None and expected.fileno() in ready:
            self._maker.settle()
        elif live.link is not None and live.link.fileno() in ready:
            self._heard()
        self._look()
        return True

    def _look(self) -> None:
        if self._maker.postponed and self._watch.is_quiet():
            self._maker.ask()
        if self._live.forged:
            self._end_for("a cell wrote to a connection of the runtime")
        if problem := self._watch.look(self._live.pid, self._snapshots.pids(), owes=self._maker.allowed):
            self._end_for(problem)

    # -- what comes in ---------------------------------------------------------------------------------------------

    def _from_zygote(self) -> bool:
        packet = self._zygote.recv()
        if packet is None:
            return False
        if "channel" in packet.fields:
            self._live.add_channels(packet.fds)
            return True
        self._watch.stir()
        if "unpack" in packet.fields:
            self._understand({"has": packet.fields["unpack"], "error": self._contexts.add(packet.fds[0])})
        else:
            self._live.say(packet.fields, packet.fds)  # where it has ended the host will hear of that
        for fd in packet.fds:
            os.close(fd)
        return True

    def _from_host(self) -> bool:
        requests = self._host.receive()
        if requests is None:
            return False
        for request in requests:
            if request["op"] == "close":
                self._population.sweep(set(), group=self._live.pid)
                self._host.send({"id": request["id"]})
                return False
            reply = self._answer(request)
            if "id" in request:
                self._host.send({"id": request["id"], **reply})
        return True

    def _answer(self, request: dict) -> dict:
        try:
            return self._operations[request["op"]](self, request)
        except Refusal as refusal:
            return {"error": {"code": refusal.code, "message": str(refusal)}}
        except OSError as error:
            return {"error": {"code": "repl-failure", "message": f"the snapshot could not be handled: {error}"}}

    def _heard(self) -> None:
        """Handles a packet of the live process, which is not trusted: other fields are ignored."""
        packet = self._live.hear()
        if packet is None or self._live.forged:
            return
        if not self._running:
            self._understand(packet.fields)
        elif self._early is None:
            # At rest it says one thing and waits for the answer. Whether it is at rest is for the host to say.
            self._early = packet.fields
        else:
            self._live.forged = True

    def _understand(self, fields: dict) -> None:
        if "has" in fields:
            self._host.send({"event": "has", "source": fields["has"], "error": str(fields.get("error", ""))[:500]})
        else:
            self._maker.hear(fields)

    def _ended(self) -> None:
        """The live process has ended by itself, or something has ended it."""
        pid = self._live.pid
        self._population.await_end(pid)
        status = self._population.ended.get(pid)
        killed = status is not None and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        fault = self._live.last_words()
        self._report_end(f"it could not be started: {fault}" if fault else how_it_ended(status), killed=killed)
        self._end_live()

    def _end_for(self, reason: str) -> None:
        """Ends everything that lives, and reports why."""
        self._report_end(reason, killed=False)
        self._end_live()

    def _report_end(self, reason: str, *, killed: bool) -> None:
        self._host.send({"event": "ended", "reason": reason, "killed": killed})

    def _end_live(self) -> None:
        """Ends the live process and all it started. Snapshot processes stay."""
        self._maker.settle()
        self._maker.live_ends()
        ended = self._population.sweep(self._snapshots.pids(), group=self._live.pid)
        if not ended:
            self._population.sweep(set())
        self._live.forget()
        self._live.hang_up()
        self._running = self._live.forged = False
        self._early = None
        self._watch.rest()
        if not ended:
            raise Refusal("repl-failure", "processes of the REPL could not be ended")

    # -- what the host asks for ------------------------------------------------------------------------------------

    def _begin(self, request: dict) -> dict:
        """A command is about to be sent. Before a cell or bash, makes sure of a snapshot of this very moment.

        Not before the first one: what the host has bound it binds again.
        """
        if not request["runs"]:
            self._watch.wake()
            return {}
        self._watch.stir()
        self._maker.settle()
        if request["changed"]:
            self._maker.current = False
        if not self._maker.current and self._live.pid and not request["first"]:
            self._before_cell()
        self._snapshots.check()
        self._maker.allowed = self._maker.postponed = self._maker.current = False
        self._running = self._live.begun = True
        self._watch.wake()
        return {}

    def _before_cell(self) -> None:
        try:
            self._maker.take()
        except Refusal:
            # Without a reason it does not answer: its last command has not stopped running.
            if self._maker.failure is None:
                self._end_for("it did not stop running after its last cell")

    def _rest(self, request: dict) -> dict:
        """The command is over. After bash, and most cells, the live process makes a snapshot process by itself."""
        if request["ran"] and self._running:
            self._running = False
            if self._live.pid > 0:
                self._maker.ended(answered=request["answered"])
            early, self._early = self._early, None
            if early is not None:
                self._understand(early)
        self._watch.rest()
        return {}

    def _snapshot(self, request: dict) -> dict:
        self._snapshots.check_room(request["name"])
        self._watch.stir()
        self._maker.take()
        return {"bytes": self._snapshots.name(request["name"]).size()}

    def _rollback(self, request: dict) -> dict:
        """Ends what lives, puts the files back, wakes the snapshot process on a new connection."""
        name = request.get("name")
        self._maker.settle()
        snapshot = self._snapshots.find(name)
        self._end_live()
        channel = self._live.take_channel(_PATIENCE)
        self._watch.stir()
        self._files.put_back(None if snapshot is None else snapshot.files)
        self._contexts.show_again()
        if snapshot is None:
            self._live.prepare()
            self._live.begin(channel)
            return {"fresh": True, **self._maker.staleness()}
        keep, keep_end = pair()
        spare, spare_end = pair()
        snapshot.wake([channel, keep_end.fileno(), spare_end.fileno()])
        for link in (keep_end, spare_end):
            link.close()
        self._live.lives(snapshot.pid, snapshot.link, spare, channel)
        if snapshot.link.recv(_PATIENCE) is None:
            raise Refusal("repl-failure", "the snapshot did not wake up")
        self._maker.expect_replacement(snapshot, keep)
        self._snapshots.restored(snapshot)
        self._maker.current = True
        stale = self._maker.staleness()
        return stale if name is None else {}

    def _interrupt(self, request: dict) -> dict:
        return {"sent": self._live.pid > 0 and send(self._live.pid, signal.SIGINT)}

    def _kill(self, request: dict) -> dict:
        self._end_live()
        return {}

    def _delete(self, request: dict) -> dict:
        self._snapshots.delete(request["name"])
        return {}

    _operations = {
        "begin": _begin,
        "rest": _rest,
        "snapshot": _snapshot,
        "rollback": _rollback,
        "interrupt": _interrupt,
        "kill": _kill,
        "delete": _delete,
    }
