"""The guest's end of the channel: commands in, results out, and requests that any number of threads may wait for.

There is one stream of frames and no reader thread. The first thread that waits leads: it reads frames and hands
replies to those who wait behind it; when its own has come, it passes the lead on. With one thread this costs nothing.
"""

from .own import own_builtins as __builtins__

import os
from _thread import RLock, allocate_lock, get_ident
from collections.abc import Callable

from .cell_tracker import CellTracker
from .errors import ChannelClosed
from .frames import COMMAND, FRAME_BODY, REPLY, decode_frame
from .interrupts import Interrupts
from .sender import Sender
from .slots import CELL_ENDED, Slot, notify
from .transport import Transport

_exit = os._exit


class Channel(Sender):
    """Frames, ids and who waits for what."""

    def __init__(self, transport: Transport, interrupts: Interrupts) -> None:
        super().__init__(transport, interrupts)
        #: Which cell a thread or task belongs to.
        self.tracker = CellTracker()
        #: Called after a reply frame has been handed out.
        self.after_replies: "Callable[[], None] | None" = None
        self.closed = False
        # Reentrant for the same reason as the lock of the sender.
        self._mutex = RLock()
        #: The thread that reads a frame and has not yet handed out what is in it.
        self._reader = 0
        self._commands: list[tuple[int, dict, memoryview]] = []
        self._command_slot = Slot()
        self._leading = False
        self._leader = 0
        self._followers: dict[Slot, None] = {}
        self._own_fork = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def check_free(self) -> None:
        """Raises in the middle of this thread's own frames: finalizers and trace functions run anywhere."""
        if self._send_lock._is_owned() or self._mutex._is_owned() or self._reader == get_ident():
            raise RuntimeError("the host cannot be asked from here: this code runs in the middle of another call")

    # -- waiting ---------------------------------------------------------------------------------------------------

    def wait(self, slot: Slot) -> None:
        """Returns when the slot's reply has come."""
        if slot.done:
            return
        interrupts = self.interrupts
        interrupts.hold()
        try:
            with self._mutex:
                self._join(slot)
            if slot.gate is not None:
                interrupts.open(slot.gate.acquire)
            if slot.leads:
                self._leader = get_ident()
            while not slot.done:
                self._read(slot)
        finally:
            self._leave(slot)
            interrupts.release()

    def _join(self, slot: Slot) -> None:
        if slot.done:
            return
        # Who leads already gets here from a callback of a reply, and reads on.
        if self._leading and self._leader != get_ident():
            slot.gate = allocate_lock()
            slot.gate.acquire()
            self._followers[slot] = None
        elif not self._leading:
            self._leading = slot.leads = True
            self._leader = get_ident()

    def try_lead(self) -> bool:
        """Takes the lead without waiting. A caller that gets it must call `hand_over`."""
        with self._mutex:
            if self._leading:
                return False
            self._leading = True
            self._leader = get_ident()
            return True

    def hand_over(self) -> None:
        """Gives the lead to a waiting slot, if there is one."""
        with self._mutex:
            self._leader = 0  # until the next one has woken
            for follower in self._followers:
                del self._followers[follower]
                follower.leads = True
                follower.gate.release()
                return
            self._leading = False

    def _leave(self, slot: Slot) -> None:
        with self._mutex:
            self._followers.pop(slot, None)
            leads, slot.leads = slot.leads, False
        if leads:
            self.hand_over()

    def read_one(self) -> None:
        """Reads one frame and hands it out. Only the leader calls this."""
        self.interrupts.hold()
        try:
            self._read()
        finally:
            self.interrupts.release()

    def _read(self, slot: "Slot | None" = None) -> None:
        self._reader = get_ident()
        try:
            if slot is not None and slot.done:
                return  # a finalizer that ran just now has read it
            frame = self.transport.recv_frame()
            if frame is None:
                self._end()
                raise ChannelClosed
            self._dispatch(frame)
        finally:
            self._reader = 0

    def _dispatch(self, frame: memoryview) -> None:
        kind, ident, header, body = decode_frame(frame)
        if kind == REPLY:
            self._replies(header, body)
        elif kind == COMMAND:
            self._commands.append((ident, header, body))
            with self._mutex:
                self._fill(self._command_slot)

    def _replies(self, header: dict, body: memoryview) -> None:
        sizes = header.get("parts", ())
        at = start = 0
        arrived = []
        with self._mutex:
            for entry in header["replies"]:
                parts = []
                for _ in range(entry.get("parts", 0)):
                    parts.append(body[start : start + sizes[at]])
                    start += sizes[at]
                    at += 1
                slot = self._pending.pop(entry["id"], None)
                if slot is None:
                    continue  # of a cell that has ended
                self.calls_pending -= slot.counts
                self.bytes_pending -= slot.bytes
                self.large_pending -= slot.bytes > FRAME_BODY
                slot.entry = entry
                slot.parts = parts
                self._fill(slot)
                if slot.notify is not None:
                    arrived.append(slot)
        self._reader = 0  # handed out
        if self.after_replies is not None:
            self.after_replies()
        # Last, and outside of the lock: it may run code of the cell, which may wait for the next reply.
        for slot in arrived:
            notify(slot)

    def _fill(self, slot: Slot) -> None:
        slot.done = True
        if slot in self._followers:
            del self._followers[slot]
            slot.gate.release()

    # -- commands --------------------------------------------------------------------------------------------------

    def next_command(self) -> "tuple[int, dict, memoryview] | None":
        """Waits for the host's next command; None when the host has gone."""
        try:
            while not self._commands:
                if self.closed:
                    return None
                self.wait(self._command_slot)
                self._command_slot = Slot()
        except ChannelClosed:
            return None
        return self._commands.pop(0)

    def begin(self, ident: int, first_id: int) -> None:
        """A command starts. Request ids continue from `first_id`: a rolled-back guest has forgotten those it used."""
        self._let_go()
        self.command_id = ident
        self._next_id = max(self._next_id, first_id)
        self.accepting = True

    def _let_go(self) -> None:
        """Frees what an exception of a trace function or signal handler of the last cell has left locked."""
        if self._send_lock._is_owned():
            self._send_lock = RLock()
        if self._mutex._is_owned():
            self._mutex = RLock()
        if self._leading and self._leader == get_ident():
            self.hand_over()

    def finish(self) -> None:
        """The command is over: slots that still wait for a reply get an error."""
        with self._send_lock:
            self.accepting = False
        self.command_id = 0
        with self._mutex:
            slots = list(self._pending.values())
            self._pending.clear()
            self.calls_pending = self.bytes_pending = self.large_pending = 0
            for slot in slots:
                slot.entry = CELL_ENDED
                self._fill(slot)
        for slot in slots:
            notify(slot)

    def _end(self) -> None:
        self.closed = True
        self.finish()
        with self._mutex:
            self._fill(self._command_slot)

    # -- forks -----------------------------------------------------------------------------------------------------

    def expect_own_forks(self, expected: bool) -> None:
        """While expected, forks are the runtime's own, and both sides stay guests. Only between commands' replies."""
        self._own_fork = expected

    @property
    def forked(self) -> bool:
        """This process was forked by a cell: it has no channel and must not continue as a REPL."""
        return self._forked

    def exit_fork(self) -> None:
        """Ends a process that a cell has forked and that has reached the end of the cell."""
        _exit(0)

    def _after_fork(self) -> None:
        # Other threads are gone; whatever they held stays locked in this process.
        self._mutex = RLock()
        self._send_lock = RLock()
        self._reader = 0
        self._leading = False
        self._followers.clear()
        if not self._own_fork:
            self._forked = True
            self.accepting = False
            for slot in self._pending.values():
                slot.entry = CELL_ENDED
                slot.done = True
            self._pending.clear()
