"""The sending half of the guest's channel: frames, the ids of requests, and what waits for a reply."""

from .own import own_builtins as __builtins__

from _thread import RLock
from collections.abc import Sequence

from .frames import BLOB, FRAME_BODY, OUTPUT, REQUEST, RESULT, dumps, encode_frame, inline_parts, join_frame
from .interrupts import Interrupts
from .slots import Slot, refuse
from .transport import Transport


class Sender:
    """Writes frames whole, from any number of threads."""

    def __init__(self, transport: Transport, interrupts: Interrupts) -> None:
        self.transport = transport
        self.interrupts = interrupts
        #: Sub-calls sent and not yet answered.
        self.calls_pending = 0
        #: Bytes of them.
        self.bytes_pending = 0
        #: How many of them have more bytes than a frame takes.
        self.large_pending = 0
        #: Requests are taken only while a command runs.
        self.accepting = False
        #: The id of the command that runs, 0 between commands.
        self.command_id = 0
        # Reentrant, so that it knows its owner, see `check_free`; no thread takes it twice.
        self._send_lock = RLock()
        self._next_id = 1
        self._pending: dict[int, Slot] = {}
        self._forked = False

    def sending(self) -> bool:
        """This thread is in the middle of sending a frame."""
        return self._send_lock._is_owned()

    def check_free(self) -> None:
        """Raises where the host cannot be asked."""
        raise NotImplementedError

    def send(self, kind: int, ident: int, header: dict, parts: Sequence[bytes] = ()) -> None:
        """Writes one frame whole."""
        if self._forked:
            return
        frame = encode_frame(kind, ident, header, parts)
        self.interrupts.hold()
        try:
            with self._send_lock:
                self.transport.send(frame)
        finally:
            self.interrupts.release()

    def request(self, header: dict, parts: Sequence[bytes], slots: Sequence[Slot]) -> None:
        """Sends a request frame that takes one id per slot."""
        self.check_free()
        if parts:
            header["parts"], parts = inline_parts(parts, lambda part: self._blob(part, True))
        self.request_encoded(dumps(header).encode(), parts, slots)

    def request_encoded(self, header: bytes, parts: Sequence[bytes], slots: Sequence[Slot]) -> None:
        """Sends a request frame whose header is JSON already and names its parts."""
        self.interrupts.hold()
        try:
            with self._send_lock:
                if self._forked or not self.accepting:
                    refuse(slots)
                    return
                first = self._next_id
                self._next_id = first + len(slots)
                pending = self._pending
                for slot in slots:
                    slot.id = first
                    pending[first] = slot
                    first += 1
                    self.calls_pending += slot.counts
                    self.bytes_pending += slot.bytes
                    self.large_pending += slot.bytes > FRAME_BODY
                self.transport.send(join_frame(REQUEST, slots[0].id, header, parts))
        finally:
            self.interrupts.release()

    def result(self, ident: int, header: dict, parts: Sequence[bytes] = ()) -> None:
        """Ends a command."""
        if len(parts):
            header["parts"], parts = inline_parts(parts, lambda part: self._blob(part, False))
        self.send(RESULT, ident, header, parts)

    def output(self, stream: str, dropped: int, data: bytes) -> None:
        """Sends output of the running command; `dropped` characters were left out before it."""
        header: dict = {"stream": stream}
        if dropped:
            header["dropped"] = dropped
        self.send(OUTPUT, self.command_id, header, (data,))

    def _blob(self, data: bytes, for_request: bool) -> int:
        """Sends a large value in pieces and returns its id. Nothing of a request that would be refused is sent."""
        with self._send_lock:
            if for_request and not self.accepting:
                return 0
            ident = self._next_id
            self._next_id += 1
            view = memoryview(data)
            for start in range(0, len(data), FRAME_BODY):
                if self._forked:
                    break
                piece = view[start : start + FRAME_BODY]
                more = start + FRAME_BODY < len(data)
                self.interrupts.hold()
                try:
                    self.transport.send(encode_frame(BLOB, ident, {"more": more}, (piece,)))
                finally:
                    self.interrupts.release()
        return ident
