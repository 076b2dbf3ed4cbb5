"""Where an event loop waits: its selector. Ours reads the channel there.

On a machine with descriptors the channel is polled together with everything else the loop waits for. On Pyodide the
device is read, which blocks.
"""

from .own import own_builtins as __builtins__

import selectors
import time

from .channel import Channel
from .slots import Slot

#: Empty looks of a busy loop after which it reads the device.
_SPINS = 64


class PolledSelector(selectors.DefaultSelector):
    """A selector that takes the lead of the channel while coroutines wait for replies."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel
        #: How many coroutines of this loop wait for replies.
        self.waiting = 0

    def select(self, timeout=None):
        channel = self._channel
        if not self.waiting or channel.closed or not channel.try_lead():
            return super().select(timeout)
        fd = channel.transport.fileno()
        try:
            read = self._drain()
            self.register(fd, selectors.EVENT_READ)
            try:
                events = super().select(0 if read else timeout)
            finally:
                self.unregister(fd)
            for event in events:
                if event[0].fd == fd:
                    channel.read_one()
                    self._drain()
            return [event for event in events if event[0].fd != fd]
        finally:
            channel.hand_over()

    def _drain(self) -> bool:
        read = False
        while self._channel.transport.has_frame():
            self._channel.read_one()
            read = True
        return read


class BlockingSelector:
    """A selector for one thread and a device: there is nothing else to wait for than time and the host."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.waiting = 0
        self._spins = 0
        self._wake: "Slot | None" = None
        self._wake_at = 0.0

    def select(self, timeout=None):
        channel = self._channel
        if timeout is not None and timeout <= 0:
            self._spins += 1
            if self._spins < _SPINS or not self.waiting:
                return []
        self._spins = 0
        if self.waiting and not channel.closed:
            if timeout is not None:
                self._ask_wake(timeout)
            channel.read_one()
        elif timeout is None:
            raise RuntimeError("deadlock: the event loop waits for something that nothing is left to bring about")
        else:
            time.sleep(timeout)
        return []

    def _ask_wake(self, timeout: float) -> None:
        """Has the host end the wait: a device cannot be read with a timeout."""
        at = time.monotonic() + timeout
        if self._wake is not None and not self._wake.done and self._wake_at <= at:
            return
        self._wake, self._wake_at = Slot(), at
        self._channel.request({"op": "wake", "ms": int(min(max(timeout, 0), 86400) * 1000)}, (), (self._wake,))

    def get_map(self) -> dict:
        return {}

    def close(self) -> None:
        pass
