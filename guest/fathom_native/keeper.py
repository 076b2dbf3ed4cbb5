"""pid 1 of one REPL. Knows the host's line, the live process, the frozen twins and the files."""

import os
import select
import signal
import socket
import time

from .box.kernel import set_process_name
from .file_tree import remove
from .files import FileStore
from .folders import make_folders
from .host_line import HostLine
from .live_handle import LiveHandle
from .live_process import Settings
from .processes import Population, how_it_ended, runs, send
from .snapshots import Refusal, Snapshots
from .twins import BUFFER, Expected, buffer_memory, descriptors, fair_memory, resident_memory
from .wire import Link, pair

#: Seconds until something that takes milliseconds counts as lost.
_PATIENCE = 10.0
_TWIN_PATIENCE = 2.0


class Keeper:
    """One REPL."""

    _host: HostLine

    def __init__(self, *, zygote: Link, options: dict, settings: Settings) -> None:
        set_process_name("keeper")
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._zygote = zygote
        scratch = f"{settings.scratch}/{options['number']}"
        folders = make_folders(settings.mode, scratch, disk=options["disk"], interpreter=settings.interpreter)
        self._scratch = folders.scratch
        self._population = Population(namespaced=folders.scratch is None)
        self._files = FileStore(folders.root, folders.store, own=folders.scratch is None)
        self._snapshots = Snapshots(
            files=self._files, most=options["snapshots"], memory=options["memory"], population=self._population
        )
        self._live = LiveHandle(zygote=zygote, options=options, settings=settings, folders=folders.seen)
        self._expected: "Expected | None" = None
        #: Why the last twin could not be made, if so.
        self._failure: "str | None" = None
        #: Requests for a twin, and the last one that needed none.
        self._freezes = 0
        self._current: object = None
        self._memory = options["memory"]
        #: Bytes of images mapped: they are nobody's own.
        self._mapped = 0

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
        live, expected = self._live, None if self._expected is None else self._expected.link
        poll = select.poll()
        poll.register(self._host.fileno(), select.POLLIN)
        poll.register(self._zygote.fileno(), select.POLLIN)
        for link in (live.link, expected):
            if link is not None:
                poll.register(link.fileno(), select.POLLIN)
        if live.watch >= 0:
            poll.register(live.watch, select.POLLIN)
        ready = {fd for fd, _ in poll.poll()}
        if expected is not None and expected.fileno() in ready:
            self._settle()
        if live.link is not None and live.link.fileno() in ready:
            self._heard()
        if live.watch in ready:
            self._ended()
        if self._zygote.fileno() in ready and not self._from_zygote():
            return False
        return self._host.fileno() not in ready or self._from_host()

    # -- what comes in ---------------------------------------------------------------------------------------------

    def _from_zygote(self) -> bool:
        packet = self._zygote.recv()
        if packet is None:
            return False
        if "channel" in packet.fields:
            self._live.add_channels(packet.fds)
            return True
        self._live.say(packet.fields, packet.fds)  # where it has ended the host will hear of that
        for fd in packet.fds:
            if "kind" in packet.fields:
                self._mapped += os.fstat(fd).st_size
            os.close(fd)
        return True

    def _from_host(self) -> bool:
        requests = self._host.receive()
        if requests is None:
            return False
        for request in requests:
            if request["op"] == "close":
                self._population.sweep(set(), group=self._live.pid)
                self._host.tell({"id": request["id"]})
                return False
            self._host.tell({"id": request["id"], **self._answer(request)})
        return True

    def _answer(self, request: dict) -> dict:
        try:
            return self._operations[request["op"]](self, request)
        except Refusal as refusal:
            return {"error": {"code": refusal.code, "message": str(refusal)}}
        except OSError as error:
            return {"error": {"code": "repl-failure", "message": f"the snapshot could not be handled: {error}"}}

    def _heard(self) -> None:
        """The live process says something. It is not trusted: only these words count, and little hangs on them."""
        packet = self._live.hear()
        if packet is None:
            return
        for fd in packet.fds:
            os.close(fd)
        fields = packet.fields
        if "forking" in fields:
            self._twin_announced()
        elif "failed" in fields:
            self._failure = str(fields["failed"])[:500]
            self._live.say({"ok": False})
        elif "current" in fields:
            self._current = fields["current"]
        elif "has" in fields:
            self._host.tell({"event": "has", "source": fields["has"], "error": str(fields.get("error", ""))[:500]})

    def _ended(self) -> None:
        pid = self._live.pid
        self._live.forget()
        for _ in range(200):
            self._population.reap()
            if pid in self._population.ended:
                break
            time.sleep(0.0005)
        status = self._population.ended.get(pid)
        killed = status is not None and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        self._host.tell({"event": "ended", "reason": how_it_ended(status), "killed": killed})

    # -- twins -----------------------------------------------------------------------------------------------------

    def _twin_announced(self) -> None:
        """The live process forks at this moment: its files are copied now, and the twin will report by itself."""
        self._settle()
        files, self._failure = self._snapshots.copy_files()
        if self._live.spare is not None:
            self._expected = Expected(self._live.spare, files)
        self._live.spare, spare_end = pair()
        self._live.say({"ok": self._failure is None}, [spare_end.fileno()])
        spare_end.close()

    def _settle(self) -> None:
        """Waits for a twin that is on its way, if any."""
        expected, self._expected = self._expected, None
        if expected is None:
            return
        try:
            packet = expected.link.recv(_TWIN_PATIENCE)
        except OSError:
            packet = None
        for fd in () if packet is None else packet.fds:
            os.close(fd)
        # The kernel tells whose message it is: the live process cannot pass for its own twin and so outlive a sweep.
        pid = 0 if packet is None or packet.pid in (1, self._live.pid) else packet.pid
        if expected.stands_in_for is not None:
            expected.stands_in_for.pid, expected.stands_in_for.link = pid, expected.link
            return
        if pid and expected.files is not None:
            self._snapshots.took(pid, expected.link, expected.files)
            return
        expected.link.close()
        if pid:
            send(pid, signal.SIGKILL)
        if expected.files is not None:
            self._snapshots.drop_files(expected.files)

    def _freeze(self) -> None:
        """Has the live process make a twin now, unless the automatic one is of this very moment."""
        self._settle()
        self._failure = None
        self._freezes += 1
        before = self._snapshots.automatic
        self._live.say({"freeze": self._freezes})
        deadline = time.monotonic() + _PATIENCE
        while self._snapshots.automatic is before and self._failure is None and self._current != self._freezes:
            link = self._live.link
            left = deadline - time.monotonic()
            if left <= 0 or link is None:
                raise Refusal("repl-failure", "the REPL did not stand still for a snapshot")
            if select.select([link.fileno()], [], [], left)[0]:
                self._heard()
            self._settle()
        if self._failure is not None:
            raise Refusal("repl-failure", f"No snapshot can be made: {self._failure}.")

    def _end_live(self) -> None:
        """Ends the live process and all it started. Twins stay."""
        self._settle()
        if not self._population.sweep(self._snapshots.pids(), group=self._live.pid):
            self._population.sweep(set())
            raise Refusal("repl-failure", "processes of the REPL could not be ended")
        self._live.forget()
        self._live.hang_up()

    # -- what the host asks for ------------------------------------------------------------------------------------

    def _snapshot(self, request: dict) -> dict:
        self._snapshots.check_room(request["name"])
        self._freeze()
        return {"bytes": self._snapshots.name(request["name"]).size()}

    def _rollback(self, request: dict) -> dict:
        """Ends what lives, puts the files back, wakes the twin on a new connection."""
        name = request.get("name")
        self._settle()
        twin = self._snapshots.find(name)
        self._end_live()
        channel = self._live.take_channel(_PATIENCE)
        if twin is None:
            self._files.empty()
            self._live.prepare()
            self._live.begin(channel)
            return {"fresh": True}
        self._files.put_back(twin.files)
        keep, keep_end = pair()
        spare, spare_end = pair()
        twin.link.send({"wake": True}, [channel, keep_end.fileno(), spare_end.fileno()])
        for link in (keep_end, spare_end):
            link.close()
        os.close(channel)
        if twin.link.recv(_PATIENCE) is None:
            raise Refusal("repl-failure", "the snapshot did not wake up")
        self._live.lives(twin.pid, twin.link, spare)
        # The copy that keeps the snapshot has been forked; it reports in its own time.
        self._expected = Expected(keep, None, stands_in_for=twin)
        self._snapshots.restored(twin)
        stale, self._failure = self._failure, None
        return {"stale": stale} if stale and name is None else {}

    def _interrupt(self, request: dict) -> dict:
        return {"sent": self._live.pid > 0 and send(self._live.pid, signal.SIGINT)}

    def _kill(self, request: dict) -> dict:
        self._end_live()
        return {}

    def _delete(self, request: dict) -> dict:
        self._snapshots.delete(request["name"])
        return {}

    def _guard(self, request: dict) -> dict:
        """Ends the live processes when together they hold more than the memory limit; says how much it was."""
        others = self._population.others(self._snapshots.pids())
        most = sum(resident_memory(pid) + len(descriptors(pid)) * BUFFER for pid in others)
        if most <= self._memory:
            return {}
        held = sum(map(fair_memory, others)) - self._mapped + buffer_memory(others)
        if held <= self._memory:
            return {}
        self._end_live()
        return {"held": held}

    def _usage(self, request: dict) -> dict:
        """Processes and memory, for tests."""
        keep = self._snapshots.pids()
        others = self._population.others(keep)
        held = sum(map(fair_memory, others))
        return {"processes": len(others), "memory": held, "twins": len([pid for pid in keep if runs(pid)])}

    _operations = {
        "snapshot": _snapshot,
        "rollback": _rollback,
        "interrupt": _interrupt,
        "kill": _kill,
        "delete": _delete,
        "guard": _guard,
        "usage": _usage,
    }
