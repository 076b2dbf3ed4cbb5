"""pid 1 of one REPL. Knows the host's control connection, the live process, the frozen twins and the files."""

import json
import os
import select
import signal
import socket
import time

from .box import enter
from .box.kernel import PR_SET_CHILD_SUBREAPER, prctl, set_process_name
from .files import FileStore
from .live_process import Settings, start_live
from .processes import Population, how_it_ended, runs, send
from .snapshots import Refusal, Snapshots
from .twins import resident_memory
from .wire import Link

#: Seconds until something that takes milliseconds counts as lost.
_PATIENCE = 10.0


class Keeper:
    """One REPL."""

    def __init__(self, *, control: socket.socket, zygote: Link, options: dict, settings: Settings) -> None:
        self._control = control
        self._zygote = zygote
        self._settings = settings
        self._options = options
        self._inbox = b""
        self._channels: "list[int]" = []
        self._live_pid = 0
        self._live_watch = -1
        self._link: "Link | None" = None
        self._spare: "Link | None" = None
        #: Why the last twin could not be made, if so.
        self._failure: "str | None" = None
        self._current = False
        namespaced = settings.mode != "rules"
        if namespaced:
            live, store = enter.box_keeper(settings.mode, disk=options["disk"])
            self._root, self._store = f"/proc/self/fd/{live}", f"/proc/self/fd/{store}"
            self.folders = list(enter.FOLDERS.values())
        else:
            prctl(PR_SET_CHILD_SUBREAPER, 1)
            base = f"{settings.scratch}/{options['id']}"
            self._root, self._store = base + "/files", base + "/store"
            self.folders = [f"{self._root}/{name}" for name in enter.FOLDERS]
            for path in (base, self._root, self._store, *self.folders):
                os.mkdir(path, 0o700)
        set_process_name("keeper")
        self._population = Population(namespaced)
        self._files = FileStore(self._root, self._store)
        self._snapshots = Snapshots(
            files=self._files, most=options["snapshots"], memory=options["memory"], population=self._population
        )
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def run(self) -> None:
        """Serves until the host closes the REPL or goes."""
        try:
            self._await_channel()
            self._start()
            while self._step():
                pass
        finally:
            self._population.sweep(set())
            if self._settings.mode == "rules":
                from .files import remove

                remove(f"{self._settings.scratch}/{self._options['id']}")

    def _step(self) -> bool:
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._zygote.fileno(), select.POLLIN)
        watched = [self._link, self._spare]
        for link in watched:
            if link is not None:
                poll.register(link.fileno(), select.POLLIN)
        if self._live_watch >= 0:
            poll.register(self._live_watch, select.POLLIN)
        ready = {fd for fd, _ in poll.poll()}
        if self._spare is not None and self._spare.fileno() in ready:
            self._twin_made()
        elif self._link is not None and self._link.fileno() in ready:
            self._heard_from_live()
        if self._live_watch in ready:
            self._live_ended()
        if self._zygote.fileno() in ready and not self._from_zygote():
            return False
        return self._control.fileno() not in ready or self._from_host()

    # -- what comes in ---------------------------------------------------------------------------------------------

    def _from_zygote(self) -> bool:
        packet = self._zygote.recv()
        if packet is None:
            return False
        if "channel" in packet.fields:
            self._channels += packet.fds
        elif self._link is not None:
            try:
                self._link.send(packet.fields, packet.fds)
            except OSError:
                pass  # the live process has ended; the host will hear of that
            for fd in packet.fds:
                os.close(fd)
        return True

    def _from_host(self) -> bool:
        data = self._control.recv(65536)
        if not data:
            return False
        self._inbox += data
        while b"\n" in self._inbox:
            line, _, self._inbox = self._inbox.partition(b"\n")
            command = json.loads(line)
            if command["op"] == "close":
                self._population.sweep(set())
                self._reply(command, {})
                return False
            try:
                self._reply(command, self._operations[command["op"]](self, command))
            except Refusal as refusal:
                self._reply(command, {"error": {"code": refusal.code, "message": str(refusal)}})
            except OSError as error:
                self._reply(command, {"error": {"code": "repl-failure", "message": str(error)}})
        return True

    def _reply(self, command: dict, fields: dict) -> None:
        self._tell({"id": command["id"], **fields})

    def _tell(self, fields: dict) -> None:
        try:
            self._control.sendall(json.dumps(fields).encode() + b"\n")
        except OSError:
            pass  # the host has gone: the next read says so

    def _heard_from_live(self) -> None:
        packet = self._link.recv() if self._link is not None else None
        if packet is None:
            if self._link is not None:
                self._link.close()
            self._link = None
            return
        for fd in packet.fds:
            os.close(fd)
        fields = packet.fields
        if "failed" in fields:
            self._failure = str(fields["failed"])[:500]
            self._link.send({"ok": False})
        elif "current" in fields:
            self._current = True
        elif "has" in fields:
            self._tell({"event": "has", "source": fields["has"], "error": str(fields.get("error", ""))[:500]})

    def _live_ended(self) -> None:
        pid = self._live_pid
        self._forget_live()
        for _ in range(200):
            self._population.reap()
            if pid in self._population.ended:
                break
            time.sleep(0.0005)
        self._tell({"event": "ended", "reason": how_it_ended(self._population.ended.get(pid))})

    # -- the live process ------------------------------------------------------------------------------------------

    def _await_channel(self) -> int:
        deadline = time.monotonic() + _PATIENCE
        while not self._channels:
            self._zygote.socket.settimeout(max(0.01, deadline - time.monotonic()))
            packet = self._zygote.recv(max(0.01, deadline - time.monotonic()))
            if packet is None:
                raise SystemExit
            if "channel" in packet.fields:
                self._channels += packet.fds
        return self._channels[-1]

    def _take_channel(self) -> int:
        """The newest connection; older ones were for a process that is no more."""
        newest = self._await_channel()
        for fd in self._channels[:-1]:
            os.close(fd)
        self._channels = []
        return newest

    def _start(self) -> None:
        """A live process from nothing."""
        channel = self._take_channel()
        self._link, live_end = pair_of_links()
        self._spare, spare_end = pair_of_links()
        pid = start_live(
            channel=channel, link=live_end, spare=spare_end, options=self._options, settings=self._settings, roots=self.folders
        )
        for link in (live_end, spare_end):
            link.close()
        os.close(channel)
        self._watch(pid)

    def _watch(self, pid: int) -> None:
        self._live_pid = pid
        self._live_watch = os.pidfd_open(pid)

    def _forget_live(self) -> None:
        if self._live_watch >= 0:
            os.close(self._live_watch)
        self._live_watch, self._live_pid = -1, 0

    def _end_live(self) -> None:
        """Ends the live process and all it started. Twins stay."""
        keep = self._snapshots.pids()
        if not self._population.sweep(keep):
            self._population.sweep(set())
            raise Refusal("repl-failure", "processes of the REPL could not be ended")
        self._forget_live()
        for link in (self._link, self._spare):
            if link is not None:
                link.close()
        self._link = self._spare = None

    # -- snapshots -------------------------------------------------------------------------------------------------

    def _twin_made(self) -> None:
        """The live process has forked a twin, which tells so on the spare link."""
        link = self._spare
        packet = link.recv() if link is not None else None
        if link is None or packet is None or packet.pid in (0, 1, self._live_pid):
            self._spare = None
            return
        problem = self._snapshots.take_automatic(packet.pid, link)
        self._failure = problem
        self._spare, spare_end = pair_of_links()
        if self._link is not None:
            self._link.send({"ok": problem is None}, [spare_end.fileno()])
        spare_end.close()

    def _freeze(self) -> None:
        """Has the live process make a twin now, unless the automatic one is of this very moment."""
        if self._link is None:
            raise Refusal("repl-failure", "the REPL's process has ended")
        self._failure, self._current = None, False
        before = self._snapshots.automatic
        self._link.send({"freeze": True})
        deadline = time.monotonic() + _PATIENCE
        while self._snapshots.automatic is before and self._failure is None and not self._current:
            left = deadline - time.monotonic()
            if left <= 0 or self._link is None or self._spare is None:
                raise Refusal("repl-failure", "the REPL did not stand still for a snapshot")
            ready, _, _ = select.select([self._link.fileno(), self._spare.fileno()], [], [], left)
            if self._spare.fileno() in ready:
                self._twin_made()
            elif ready:
                self._heard_from_live()
        if self._failure is not None:
            raise Refusal("repl-failure", f"no snapshot can be made: {self._failure}")

    def _snapshot(self, command: dict) -> dict:
        self._snapshots.check_room(command["name"])
        self._freeze()
        return {"snapshot": self._snapshots.name(command["name"])}

    def _rollback(self, command: dict) -> dict:
        """Kills what lives, puts the files back, wakes the twin on a new connection."""
        twin = self._snapshots.find(command.get("name"))
        self._end_live()
        channel = self._take_channel()
        if twin is None:
            self._files_from_nothing()
            os.dup2(channel, channel)
            self._channels = [channel]
            self._start()
            return {"fresh": True}
        self._files.put_back(twin.files)
        keep, keep_end = pair_of_links()
        spare, spare_end = pair_of_links()
        twin.link.send({"wake": True}, [channel, keep_end.fileno(), spare_end.fileno()])
        for link in (keep_end, spare_end):
            link.close()
        os.close(channel)
        kept = keep.recv(_PATIENCE)
        awake = twin.link.recv(_PATIENCE)
        if kept is None or awake is None:
            raise Refusal("repl-failure", "the snapshot did not wake up")
        self._link, self._spare = twin.link, spare
        live = twin.pid
        twin.pid, twin.link = kept.pid, keep
        self._snapshots.restored(twin)
        self._watch(live)
        stale, self._failure = self._failure, None
        return {"stale": stale} if stale and command.get("name") is None else {}

    def _files_from_nothing(self) -> None:
        from .files import remove

        for name in os.listdir(self._root):
            for inner in os.listdir(f"{self._root}/{name}"):
                remove(f"{self._root}/{name}/{inner}")

    # -- the rest --------------------------------------------------------------------------------------------------

    def _interrupt(self, command: dict) -> dict:
        return {"sent": self._live_pid > 0 and send(self._live_pid, signal.SIGINT)}

    def _kill(self, command: dict) -> dict:
        self._end_live()
        return {}

    def _delete(self, command: dict) -> dict:
        self._snapshots.delete(command["name"])
        return {}

    def _list(self, command: dict) -> dict:
        return {"snapshots": self._snapshots.listed()}

    def _usage(self, command: dict) -> dict:
        """Processes and memory, for limits and tests."""
        keep = self._snapshots.pids()
        others = [pid for pid in self._population.others(keep)]
        return {
            "processes": len(others),
            "resident": sum(resident_memory(pid) for pid in others),
            "twins": len([pid for pid in keep if runs(pid)]),
        }

    _operations = {
        "snapshot": _snapshot,
        "rollback": _rollback,
        "interrupt": _interrupt,
        "kill": _kill,
        "delete": _delete,
        "list": _list,
        "usage": _usage,
    }


def pair_of_links() -> "tuple[Link, Link]":
    """The keeper's end, which is told who sends, and the other."""
    from .wire import pair

    return pair()
