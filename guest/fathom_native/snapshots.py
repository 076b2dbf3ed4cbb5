"""The snapshots of one REPL: names, the automatic one, quotas."""

import os
import signal
from collections.abc import Callable

from .file_tree import FilesTooDeep
from .files import Copy, CopyGivenUp, FileStore
from .memory import own_memory, private_memory
from .processes import Population, send
from .twins import Twin


class Refusal(Exception):
    """Something the host asked for cannot be done; `code` is one of its error codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Snapshots:
    """Twins by name. The automatic one is of the last moment at rest; it may have names as well."""

    def __init__(self, *, files: FileStore, most: int, memory: int, population: Population) -> None:
        self._files = files
        self._most = most
        self._memory = memory
        self._population = population
        self._named: "dict[str, Twin]" = {}
        self.automatic: "Twin | None" = None

    def pids(self) -> "set[int]":
        """The processes that stand still."""
        return {twin.pid for twin in self._all()}

    def _all(self) -> "list[Twin]":
        return [*self._named.values(), *([self.automatic] if self.automatic is not None else [])]

    def copy_files(self, given_up: "Callable[[], bool]") -> "tuple[Copy | None, str | None]":
        """A copy of the files for a twin that is about to be made, or what stands against it."""
        try:
            return self._files.take(given_up), None
        except CopyGivenUp:
            return None, "the REPL is about to end"
        except FilesTooDeep as error:
            return None, error.strerror
        except OSError as error:
            return None, f"the files cannot be copied ({os.strerror(error.errno or 0)})"

    def took(self, twin: Twin) -> None:
        """A twin has been made; it takes the place of the last automatic one."""
        before, self.automatic = self.automatic, twin
        if before is not None and not before.names:
            self._end(before)

    def let_go(self, pid: int, files: "Copy | None") -> None:
        """A twin that is of no use, or its files alone where none has come."""
        send(pid, signal.SIGKILL)
        if files is not None:
            self._files.release(files)

    def check(self) -> None:
        """Ends twins that have run since they were stopped: they are no snapshots any more."""
        for pid, twin in {twin.pid: twin for twin in self._all()}.items():
            if pid and not twin.intact():
                send(pid, signal.SIGKILL)

    def _end(self, twin: Twin) -> None:
        twin.end()
        self._files.release(twin.files)
        self._population.reap()

    def check_room(self, name: str) -> None:
        """Raises when one more does not fit."""
        if name in self._named:
            raise Refusal("snapshot-exists", f"There is a snapshot {name!r} already: delete it first, or take another name.")
        if len(self._named) >= self._most:
            raise Refusal(
                "snapshot-limit",
                f"There are {len(self._named)} snapshots, and the limit is {self._most} (maxSnapshots): delete one first.",
            )
        named = {twin.pid for twin in self._named.values()}
        if sum(map(own_memory, named)) <= self._memory:
            return
        held = sum(map(private_memory, named))
        if held > self._memory:
            raise Refusal(
                "snapshot-limit",
                f"The snapshots hold {held} bytes of memory, and the limit is {self._memory} bytes (memoryBytes): delete one first.",
            )

    def name(self, name: str) -> Twin:
        """Keeps the automatic snapshot under a name."""
        twin = self.automatic
        if twin is None:
            raise Refusal("repl-failure", "there is no moment at rest to keep")
        twin.names.add(name)
        self._named[name] = twin
        return twin

    def find(self, name: "str | None") -> "Twin | None":
        """The twin of that name; without one the automatic twin, or None when there is none that lives."""
        if name is None:
            twin = self.automatic
            return twin if twin is not None and twin.intact() else None
        twin = self._named.get(name)
        if twin is None:
            known = ", ".join(sorted(self._named)) or "none"
            raise Refusal("snapshot-not-found", f"There is no snapshot {name!r}; there are: {known}.")
        if not twin.intact():
            raise Refusal("repl-failure", f"The snapshot {name!r} has been ended or changed from inside of the REPL.")
        return twin

    def restored(self, twin: Twin) -> None:
        """The twin has been woken: the moment it stands for is now the last moment at rest."""
        before, self.automatic = self.automatic, twin
        if before is not None and before is not twin and not before.names:
            self._end(before)

    def delete(self, name: str) -> None:
        """Frees a name; the twin goes with its last one."""
        twin = self._named.pop(name, None)
        if twin is None:
            known = ", ".join(sorted(self._named)) or "none"
            raise Refusal("snapshot-not-found", f"There is no snapshot {name!r}; there are: {known}.")
        twin.names.discard(name)
        if not twin.names and twin is not self.automatic:
            self._end(twin)
