"""Sub-calls under way: how many at once, in what order, in as few frames as possible."""

from .own import own_builtins as __builtins__

from _thread import RLock
from collections import deque
from collections.abc import Sequence

from .channel import Channel
from .errors import call_error
from .frames import FRAME_BODY, dumps, encode_text
from .reply import Reply, make_reply, reasoning_of
from .slots import Slot, refuse

_FRAME_CALLS = 4000
#: Bytes of one frame's header that entries and lengths may take: the host allows 64 KiB.
_HEADER = 48 * 1024
#: Calls with values too large for a frame that are under way at once: the host keeps each of them in a file.
_LARGE_CALLS = 13
#: Bytes of calls with images that are under way at once.
_IMAGE_ROOM = 128 * 1024 * 1024
#: Bytes of JSON that names an item's batch, or the length of a part.
_BATCH, _LENGTH = 48, 9
#: The fields of a flat call without options.
PLAIN: dict = {"kind": "llm"}


class Call(Slot):
    """One sub-call, sent or waiting for its turn. `fields` and `shared` are the same objects for a whole batch."""

    __slots__ = ("fields", "shared", "own", "batch")
    counts = 1

    def __init__(
        self, fields: dict, shared: Sequence[bytes], own: "Sequence[bytes | str]", batch: "tuple | None"
    ) -> None:
        Slot.__init__(self)
        #: Header of the call's entry: kind and options.
        self.fields = fields
        #: Parts that all calls of an entry have in common (the system prompt).
        self.shared = shared
        #: The call's own parts; texts are encoded when they are sent.
        self.own = own
        #: `(batch id, index, count)` of an item of a batch.
        self.batch = batch

    def size(self) -> int:
        """Bytes of the call's own parts, or a little more."""
        size = 0
        for part in self.own:
            size += len(part) * 4 if type(part) is str and not part.isascii() else len(part)
        return size


class Calls:
    """Keeps at most `window` calls under way; the rest queue here, first come first served."""

    def __init__(self, channel: Channel) -> None:
        self.window = 64
        #: Bytes of calls under way at once: the host keeps no more of large values.
        self.room = 1024 * 1024 * 1024
        self._channel = channel
        self._lock = RLock()
        self._queue: deque[Call] = deque()
        self._batches = 0
        channel.after_replies = self.flush

    def check_free(self) -> None:
        """Raises where a call cannot be made, see `Channel.check_free`."""
        self._channel.check_free()
        if self._lock._is_owned():
            raise RuntimeError("no call can be made from here: this code runs in the middle of another call")

    def batch_id(self) -> int:
        """A number that the items of one batch share."""
        self._batches += 1
        return self._batches

    def start(self, calls: Sequence[Call]) -> None:
        """Sends what the window has room for and queues the rest."""
        if len(calls) == 1 and not self._queue and calls[0].fields is PLAIN and self._start_plain(calls[0]):
            return
        self._queue.extend(calls)
        self.flush()

    def _start_plain(self, call: Call) -> bool:
        """The short way of one prompt without options; False when it must queue."""
        data = encode_text(call.own[0])
        channel = self._channel
        with self._lock:
            if len(data) > FRAME_BODY // 4 or channel.calls_pending >= self.window or self._queue:
                return False
            call.bytes = len(data)
            channel.request_encoded(
                b'{"op":"calls","calls":[{"kind":"llm"}],"parts":[%d]}' % len(data), (data,), (call,)
            )
            return True

    def enqueue(self, call: Call) -> None:
        """Queues a call that a later `flush` sends together with others."""
        self._queue.append(call)

    def flush(self) -> None:
        """Sends what is queued, as far as the window has room."""
        if not self._queue:
            return
        interrupts = self._channel.interrupts
        interrupts.hold()
        try:
            with self._lock:
                while calls := self._take():
                    self._send(calls)
        finally:
            interrupts.release()

    def wait(self, call: Call) -> Reply:
        """The call's reply; failures raise."""
        self._channel.wait(call)
        return self.finish(call)

    def finish(self, call: Call) -> Reply:
        """The reply of a call that is done; failures raise."""
        error = None if call.entry["ok"] else call.entry.get("error") or {}
        # A child that reached a limit, or whose answer has the wrong type, still says what it found: a reply not ok.
        if error is not None and error.get("code") not in ("exhausted", "answer-invalid"):
            raise call_error(error, reasoning_of(call.entry, call.parts)) from None
        return make_reply(call.entry, call.parts)

    def wait_all(self, calls: Sequence[Call]) -> list[Reply]:
        """Replies in order; failures are replies with `ok == False`."""
        replies = []
        for call in calls:
            self._channel.wait(call)
            replies.append(make_reply(call.entry, call.parts))
        return replies

    def cancel(self, calls: Sequence[Call]) -> None:
        """Gives calls up: what still queues is never sent, the host stops what is under way."""
        sent = [call.id for call in calls if call.id and not call.done]
        with self._lock:
            for call in calls:
                if not call.id and not call.done and call in self._queue:
                    self._queue.remove(call)
        for start in range(0, len(sent), _FRAME_CALLS):
            self._channel.request({"op": "cancel", "ids": sent[start : start + _FRAME_CALLS]}, (), (Slot(),))

    def drop(self) -> None:
        """The cell is over: what still queues is never sent."""
        if self._lock._is_owned():
            self._lock = RLock()  # left so by an exception of a trace function or signal handler
        with self._lock:
            dropped = list(self._queue)
            self._queue.clear()
        refuse(dropped)

    def _take(self) -> list[Call]:
        """The next calls that fit into one frame and into the window."""
        taken: list[Call] = []
        queue, channel = self._queue, self._channel
        places = self.window - channel.calls_pending
        room = min(FRAME_BODY // 4, self.room - channel.bytes_pending)
        header = _HEADER
        last: "Call | None" = None
        while queue and len(taken) < min(places, _FRAME_CALLS):
            call = queue[0]
            size = call.size()
            header -= header_size(call, last)
            full = size > room or header < 0
            if full and (taken or (channel.calls_pending and not self._beside(call, size))):
                break
            room -= size
            call.bytes = size
            taken.append(queue.popleft())
            last = call
        return taken

    def _beside(self, call: Call, size: int) -> bool:
        """A child may start beside others although its context fills a frame: the host keeps it in a file.

        So may a call with images, which the host holds in memory.
        """
        channel = self._channel
        if "images" in call.fields:
            return size <= _IMAGE_ROOM - channel.bytes_pending
        if call.fields["kind"] != "rlm" or size > self.room - channel.bytes_pending:
            return False
        return size <= FRAME_BODY or channel.large_pending < _LARGE_CALLS

    def _send(self, calls: Sequence[Call]) -> None:
        entries: list[dict] = []
        parts: list[bytes] = []
        last: "Call | None" = None
        for call in calls:
            if last is not None and call.fields is last.fields and continues(last, call):
                entries[-1]["count"] = entries[-1].get("count", 1) + 1
            else:
                entries.append(call.fields if call.batch is None else {**call.fields, "batch": call.batch})
                parts.extend(call.shared)
            for part in call.own:
                parts.append(encode_text(part) if type(part) is str else part)
            call.own = ()
            last = call
        self._channel.request({"op": "calls", "calls": entries}, parts, calls)


def header_size(call: Call, last: "Call | None") -> int:
    """Bytes of a frame's header that a call takes behind `last`, or a little more."""
    lengths = _LENGTH * len(call.own)
    if last is not None and call.fields is last.fields and continues(last, call):
        return lengths
    return lengths + len(dumps(call.fields)) + _BATCH + _LENGTH * len(call.shared)


def continues(last: Call, call: Call) -> bool:
    """Two calls are neighbours of one batch, so that one entry can stand for both."""
    return (
        last.batch is not None
        and call.batch is not None
        and call.batch[0] == last.batch[0]
        and call.batch[1] == last.batch[1] + 1
    )
