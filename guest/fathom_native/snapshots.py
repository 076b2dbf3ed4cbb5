"""The snapshots of one REPL: names, the automatic one, quotas."""

import os
import signal
from collections.abc import Callable

from .file_tree import FilesTooDeep
from .files import Copy, CopyGivenUp, FileStore
from .memory import own_memory, private_memory
from .processes import Population, send
from .snapshot_process import SnapshotProcess


class Refusal(Exception):
    """Something the host asked for cannot be done; `code` is one of its error codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Snapshots:
    """Snapshot processes by name. The automatic one is of the last moment at rest; it may have names as well."""

    def __init__(self, *, files: FileStore, most: int, memory: int, population: Population) -> None:
        self._files = files
        self._most = most
        self._memory = memory
        self._population = population
        self._named: "dict[str, SnapshotProcess]" = {}
        self.automatic: "SnapshotProcess | None" = None

    def pids(self) -> "set[int]":
        """The processes that stand still."""
        return {snapshot.pid for snapshot in self._all()}

    def _all(self) -> "list[SnapshotProcess]":
        return [*self._named.values(), *([self.automatic] if self.automatic is not None else [])]

    def copy_files(self, given_up: "Callable[[], bool]") -> "tuple[Copy | None, str | None]":
        """A copy of the files for a snapshot process that is about to be made, or the reason why none can be made."""
        try:
            return self._files.take(given_up), None
        except CopyGivenUp:
            return None, "the REPL is about to end"
        except FilesTooDeep as error:
            return None, error.strerror
        except OSError as error:
            return None, f"the files cannot be copied ({os.strerror(error.errno or 0)})"

    def took(self, snapshot: SnapshotProcess) -> None:
        """A snapshot process has been made; it takes the place of the last automatic one."""
        before, self.automatic = self.automatic, snapshot
        if before is not None and not before.names:
            self._end(before)

    def let_go(self, pid: int, files: "Copy | None") -> None:
        """Discards a snapshot process, or its files alone where no process has reported."""
        send(pid, signal.SIGKILL)
        if files is not None:
            self._files.release(files)

    def check(self) -> None:
        """Ends snapshot processes that have run since they were stopped: their state has changed."""
        for pid, snapshot in {snapshot.pid: snapshot for snapshot in self._all()}.items():
            if pid and not snapshot.intact():
                send(pid, signal.SIGKILL)

    def _end(self, snapshot: SnapshotProcess) -> None:
        snapshot.end()
        self._files.release(snapshot.files)
        self._population.reap()

    def check_room(self, name: str) -> None:
        """Raises when one more does not fit."""
        if name in self._named:
            raise Refusal(
                "snapshot-exists", f"There is a snapshot {name!r} already: delete it first, or take another name."
            )
        if len(self._named) >= self._most:
            raise Refusal(
                "snapshot-limit",
                f"There are {len(self._named)} snapshots, and the limit is {self._most} (maxSnapshots): "
                "delete one first.",
            )
        named = {snapshot.pid for snapshot in self._named.values()}
        if sum(map(own_memory, named)) <= self._memory:
            return
        held = sum(map(private_memory, named))
        if held > self._memory:
            raise Refusal(
                "snapshot-limit",
                f"The snapshots hold {held} bytes of memory, and the limit is {self._memory} bytes (memoryBytes): "
                "delete one first.",
            )

    def name(self, name: str) -> SnapshotProcess:
        """Keeps the automatic snapshot under a name."""
        snapshot = self.automatic
        if snapshot is None:
            raise Refusal("repl-failure", "there is no moment at rest to keep")
        snapshot.names.add(name)
        self._named[name] = snapshot
        return snapshot

    def find(self, name: "str | None") -> "SnapshotProcess | None":
        """The snapshot process of that name; without a name the automatic one, or None when it has ended."""
        if name is None:
            snapshot = self.automatic
            return snapshot if snapshot is not None and snapshot.intact() else None
        snapshot = self._named.get(name)
        if snapshot is None:
            known = ", ".join(sorted(self._named)) or "none"
            raise Refusal("snapshot-not-found", f"There is no snapshot {name!r}; there are: {known}.")
        if not snapshot.intact():
            raise Refusal("repl-failure", f"The snapshot {name!r} has been ended or changed from inside of the REPL.")
        return snapshot

    def restored(self, snapshot: SnapshotProcess) -> None:
        """The snapshot process has been woken: its state is now the REPL's last state at rest."""
        before, self.automatic = self.automatic, snapshot
        if before is not None and before is not snapshot and not before.names:
            self._end(before)

    def delete(self, name: str) -> None:
        """Frees a name; the snapshot process goes with its last one."""
        snapshot = self._named.pop(name, None)
        if snapshot is None:
            known = ", ".join(sorted(self._named)) or "none"
            raise Refusal("snapshot-not-found", f"There is no snapshot {name!r}; there are: {known}.")
        snapshot.names.discard(name)
        if not snapshot.names and snapshot is not self.automatic:
            self._end(snapshot)
