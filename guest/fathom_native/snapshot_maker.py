"""Makes the live process fork snapshot processes, after each command and on request of the host. Others are refused."""

import select
import time
from collections.abc import Callable

from .live_handle import LiveHandle
from .snapshots import Refusal, Snapshots
from .snapshot_process import Expected, SnapshotProcess
from .wire import Link, pair

#: Seconds until a live process that was asked to fork, or a snapshot process that has been forked, counts as lost.
_PATIENCE = 10.0
_TOO_LATE = "the REPL ended before there was a snapshot of its last cell"


class SnapshotMaker:
    """The supervisor's side. The live process is not trusted: it may announce one snapshot process per permission."""

    def __init__(self, *, live: LiveHandle, snapshots: Snapshots, given_up: "Callable[[], bool]") -> None:
        self._live = live
        self._snapshots = snapshots
        #: Whether the host wants the REPL to end, so that a long copy is not waited for.
        self._given_up = given_up
        self._expected: "Expected | None" = None
        #: Requests for a snapshot process, and the last request that needed none.
        self._asked = 0
        self._unneeded: object = None
        #: The live process may announce a snapshot process, and owes one.
        self.allowed = False
        #: None has been made after the last cell, because it gave an answer.
        self.postponed = False
        #: The automatic snapshot is of this very moment.
        self.current = False
        #: Why the last snapshot process could not be made, if so.
        self.failure: "str | None" = None

    @property
    def link(self) -> "Link | None":
        """Where a snapshot process that is on its way will report."""
        return None if self._expected is None else self._expected.link

    def hear(self, fields: dict) -> None:
        """Handles a packet of the live process about snapshots."""
        if "forking" in fields:
            self._announced()
        elif "failed" in fields:
            self.allowed = False
            self.failure = str(fields["failed"])[:500]
            self._live.answer({"ok": False})
        elif "current" in fields:
            self._unneeded = fields["current"]
            self.allowed = False

    def _announced(self) -> None:
        """The live process forks at this moment: its files are copied now; the snapshot process reports by itself."""
        if not self.allowed:
            self._live.answer({"ok": False})
            return
        self.allowed = False
        self.settle()
        files, self.failure = self._snapshots.copy_files(self._given_up)
        if self._live.spare is not None:
            self._expected = Expected(self._live.spare, files)
        self._live.spare, spare_end = pair()
        self._live.answer({"ok": self.failure is None}, [spare_end.fileno()])
        spare_end.close()

    def expect_replacement(self, snapshot: SnapshotProcess, link: Link) -> None:
        """A copy of a woken snapshot process, which keeps the snapshot, has been forked; it reports in its own time."""
        self._expected = Expected(link, None, stands_in_for=snapshot)

    def settle(self) -> None:
        """Waits for a snapshot process that is on its way, if any."""
        expected, self._expected = self._expected, None
        if expected is None:
            return
        pid, still, problem = expected.arrive(self._live.pid, _PATIENCE)
        if expected.stands_in_for is not None:
            expected.stands_in_for.replace(pid, expected.link, still)
            return
        if pid and expected.files is not None:
            self._snapshots.took(SnapshotProcess(pid, expected.link, expected.files, still))
            self.current = True
            return
        expected.link.close()
        self._snapshots.let_go(pid, expected.files)
        self.failure = self.failure or problem

    def ended(self, *, answered: bool) -> None:
        """A cell or bash command is over: one that gave no answer has its snapshot made without being asked."""
        self.allowed = not answered
        self.postponed = answered

    def ask(self) -> None:
        """Permits the live process to make one, and asks it to."""
        self._asked += 1
        self.allowed, self.postponed = True, False
        self._live.say({"freeze": self._asked})

    def live_ends(self) -> None:
        """The live process is about to be ended: a snapshot that it owes will never be made."""
        if (self.allowed or self.postponed) and self.failure is None:
            self.failure = _TOO_LATE
        self.allowed = self.postponed = self.current = False

    def staleness(self) -> dict:
        """Why the state that is brought back now is older than the last cell, if so."""
        failure, self.failure = self.failure, None
        return {"stale": failure} if failure else {}

    def take(self) -> None:
        """Has the live process make a snapshot process now, unless the automatic one is of this very moment.

        Raises `Refusal` when there is none of this moment afterwards.
        """
        self.settle()
        self.failure = None
        if self.allowed:  # after most cells it makes one without being asked
            self._asked += 1
        else:
            self.ask()
        before = self._snapshots.automatic
        deadline = time.monotonic() + _PATIENCE
        while self._snapshots.automatic is before and self.failure is None and self._unneeded != self._asked:
            link = self._live.link
            left = deadline - time.monotonic()
            if link is None:
                self.failure = _TOO_LATE
            if left <= 0 or link is None:
                raise Refusal("repl-failure", "the REPL did not stand still for a snapshot")
            if select.select([link.fileno()], [], [], left)[0]:
                packet = self._live.hear()
                if self._live.forged:
                    break
                if packet is not None:
                    self.hear(packet.fields)
            self.settle()
        self.allowed = False
        if self._live.forged:
            raise Refusal("repl-failure", "a cell wrote to a connection of the runtime")
        if self.failure is not None:
            raise Refusal("repl-failure", f"No snapshot can be made: {self.failure}.")
        self.current = True
