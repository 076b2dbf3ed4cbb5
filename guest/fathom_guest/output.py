"""Capture of what cells print: streamed to the host, counted, and bounded here so that a flood stays in the guest."""

from .own import own_builtins as __builtins__

import sys
from _codecs import register_error
from _thread import RLock
from collections import deque
from collections.abc import Callable
from io import BufferedIOBase, BytesIO, TextIOWrapper, UnsupportedOperation
from os import write
from time import monotonic

from .channel import Channel
from .frames import encode_text
from .remade import Remade, watch_objects

#: Lines that go to the host at once, before writes are gathered.
_PROMPT_LINES = 32
_GATHER_BYTES = 16 * 1024
_GATHER_SECONDS = 0.02
_ERRORS = "fathom-replace"


def count_characters(data: bytes) -> int:
    """Code points in UTF-8: the bytes that do not continue one."""
    return len(data) - len(data.translate(None, _STARTS))


_STARTS = bytes(range(0x00, 0x80)) + bytes(range(0xC0, 0x100))


def _empty_input() -> dict:
    data = BytesIO(b"")
    return {"text": TextIOWrapper(data, encoding="utf-8"), "data": data}


def _replace(error: UnicodeError) -> tuple[bytes, int]:
    # Bytes: the UTF-8 encoder takes no replacement text beyond ASCII.
    return encode_text(error.object[error.start : error.end]), error.end


class Output:
    """The output of one cell after the other: the first half of `limit` bytes at once, the last half at the end."""

    def __init__(self, channel: Channel) -> None:
        self.limit = 16 * 1024 * 1024
        #: The process's descriptors 1 and 2 are captured too: `sys.stdout.fileno()` gives them to subprocesses.
        self.descriptors = False
        self._channel = channel
        self._tracker = channel.tracker
        self._lock = RLock()
        self._head_left = 0
        #: Output that finalizers printed while this thread was sending a frame.
        self._deferred: "deque[tuple[Stream, bytes]]" = deque()
        self.stdout = Stream(self, "stdout")
        self.stderr = Stream(self, "stderr")
        self._input = Remade(_empty_input)

    def begin(self, *, unbuffered: bool = False) -> None:
        """A cell starts: `sys.stdout`, `sys.stderr` and `sys.stdin` are ours again, as they were made.

        `unbuffered`: what an earlier cell left running may print half a line, which must not meet one of this cell.
        """
        register_error(_ERRORS, _replace)
        with self._lock:
            self._head_left = self.limit // 2
            self._deferred.clear()
            self.stdout.reset()
            self.stderr.reset()
        sys.stdout = sys.__stdout__ = self.stdout.text(unbuffered)
        sys.stderr = sys.__stderr__ = self.stderr.text(unbuffered)
        self._input.restore()
        sys.stdin = sys.__stdin__ = self._input.values["text"]

    def end(self) -> None:
        """The cell is over: sends what is still here. Never calls code of the cell."""
        with self._lock:
            self._take_deferred()
            self.stdout.finish()
            self.stderr.finish()
            half = self.limit // 2
            first, second = self.stdout.kept, self.stderr.kept
            self.stdout.send_tail(max(half - second, half // 2) if first + second > half else half)
            self.stderr.send_tail(max(half - first, half // 2) if first + second > half else half)

    def flush(self) -> None:
        """Sends what has been gathered, before the cell waits for the host."""
        if self._deferred:
            with self._lock:
                self._take_deferred()
        for stream in (self.stdout, self.stderr):
            stream.push_text()
            if stream.gathered:
                with self._lock:
                    stream.send_gathered()

    def write(self, stream: "Stream", data: bytes) -> None:
        """Takes bytes of a stream in."""
        if self._channel.forked:
            write(stream.fd, data)  # a fork of the cell: its output reaches the host as that of a subprocess
            return
        if self._channel.sending():
            self._deferred.append((stream, data))  # a frame is not interrupted by another
            return
        late = self._tracker.late()
        interrupts = self._channel.interrupts
        interrupts.hold()
        try:
            with self._lock:
                self._take_deferred()
                if late:
                    self._tracker.keep(late, data)
                else:
                    self._take(stream, data)
        finally:
            interrupts.release()

    def _take_deferred(self) -> None:
        while self._deferred:
            self._take(*self._deferred.popleft())

    def _take(self, stream: "Stream", data: bytes) -> None:
        if self._channel.command_id == 0:
            return  # printed after the end of the cell
        room = self._head_left
        if room:
            taken = data if len(data) <= room else data[:room]
            self._head_left -= len(taken)
            stream.gather(taken)
        if len(data) > room:
            stream.keep(data[room:] if room else data, self.limit // 2)

    def emit(self, name: str, dropped: int, data: bytes) -> None:
        """Sends one piece."""
        self._channel.output(name, dropped, data)


class Stream:
    """One of the two streams: what is gathered for the next frame, and the tail beyond the first half."""

    def __init__(self, output: Output, name: str) -> None:
        self._output = output
        self._name = name
        self.fd = 1 if name == "stdout" else 2
        self._sink = Sink(output, self)
        self._text = self._wrap()
        #: A cell has changed the text stream.
        self._changed: "Callable[[], bool]" = lambda: True
        self.gathered = 0
        self._pieces: list[bytes] = []
        self._frames = 0
        self._sent_at = 0.0
        self._tail: deque[bytes] = deque()
        self.kept = 0
        self._dropped = 0

    def _wrap(self) -> TextIOWrapper:
        return TextIOWrapper(self._sink, encoding="utf-8", errors=_ERRORS, newline="", line_buffering=True)

    def text(self, unbuffered: bool) -> TextIOWrapper:
        """The text stream, without what cells have set on it; a new one when a cell has closed or detached the last."""
        if not unbuffered and not self._changed():
            return self._text
        self._sink.__dict__.clear()
        self._text = self._cleared(unbuffered)
        self._changed = watch_objects([self._text, self._sink])
        return self._text

    def _cleared(self, unbuffered: bool) -> TextIOWrapper:
        text = self._text
        try:
            text.__dict__.clear()
            if text.buffer is self._sink and not text.closed:
                text.reconfigure(
                    encoding="utf-8", errors=_ERRORS, newline="", line_buffering=True, write_through=unbuffered
                )
                return text
        except (ValueError, AttributeError):
            pass
        text = self._wrap()
        text.reconfigure(write_through=unbuffered)
        return text

    def reset(self) -> None:
        """A cell starts."""
        self._pieces.clear()
        self._tail.clear()
        self.gathered = self.kept = self._dropped = self._frames = 0
        self._sent_at = 0.0

    def gather(self, data: bytes) -> None:
        """Takes bytes of the first half; sends them soon."""
        self._pieces.append(data)
        self.gathered += len(data)
        if (
            self.gathered < _GATHER_BYTES
            and self._frames >= _PROMPT_LINES
            and monotonic() - self._sent_at < _GATHER_SECONDS
        ):
            return
        self.send_gathered()

    def send_gathered(self) -> None:
        """Sends what has been gathered."""
        if not self.gathered:
            return
        data = b"".join(self._pieces)
        self._pieces.clear()
        self.gathered = 0
        self._frames += 1
        if self._frames >= _PROMPT_LINES:
            self._sent_at = monotonic()
        self._output.emit(self._name, 0, data)

    def keep(self, data: bytes, limit: int) -> None:
        """Takes bytes beyond the first half; only the last `limit` of them are kept."""
        if len(data) > limit:
            self._dropped += count_characters(data[:-limit])
            data = data[-limit:]
        self._tail.append(bytes(data))
        self.kept += len(data)
        while self.kept - len(self._tail[0]) >= limit:
            self._drop_first()

    def _drop_first(self) -> None:
        piece = self._tail.popleft()
        self.kept -= len(piece)
        self._dropped += count_characters(piece)

    def push_text(self) -> None:
        """Takes in what the text layer holds back."""
        try:
            self._text.flush()
        except Exception:
            pass

    def finish(self) -> None:
        """Takes in what the text layer holds back, and sends the first half."""
        self.push_text()
        self.send_gathered()

    def send_tail(self, room: int) -> None:
        """Sends the last `room` bytes of the stream."""
        if not self.kept:
            return
        while self.kept > room and self.kept - len(self._tail[0]) >= room:
            self._drop_first()
        data = b"".join(self._tail)
        if len(data) > room:
            self._dropped += count_characters(data[: len(data) - room])
            data = data[len(data) - room :]
        self._tail.clear()
        self.kept = 0
        dropped, self._dropped = self._dropped, 0
        for start in range(0, len(data), 1024 * 1024):
            self._output.emit(self._name, dropped if start == 0 else 0, data[start : start + 1024 * 1024])


class Sink(BufferedIOBase):
    """`sys.stdout.buffer`: every write is passed on at once; closing it does nothing."""

    __slots__ = ("_output", "_stream")

    def __init__(self, output: Output, stream: Stream) -> None:
        self._output = output
        self._stream = stream

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        if self._output.descriptors:
            return self._stream.fd
        raise UnsupportedOperation("fileno")

    def write(self, data) -> int:
        piece = bytes(data)
        self._output.write(self._stream, piece)
        return len(piece)

    def close(self) -> None:
        pass

    def __del__(self) -> None:
        pass
