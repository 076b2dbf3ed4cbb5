"""Soft interrupts: KeyboardInterrupt reaches the code of a cell, never the runtime between two of its own steps.

`_signal` and not `signal`: the latter is Python code, which a cell can break.
"""

from .own import own_builtins as __builtins__

from _signal import SIGINT, getsignal, signal
from collections.abc import Callable
from threading import get_ident


class Interrupts:
    """Handles SIGINT. While `held`, an interrupt waits; outside of a cell it is dropped."""

    def __init__(self) -> None:
        self._main = get_ident()
        self._held = 0
        self._running = False
        self._pending = False

    def install(self) -> None:
        """Takes SIGINT over again; a cell may have put its own handler in place."""
        try:
            if getsignal(SIGINT) != self._on_signal:
                signal(SIGINT, self._on_signal)
        except (ValueError, OSError, AttributeError):
            pass  # not the main thread, or a platform without signals: the host kills instead

    def _on_signal(self, signum: int, frame: object) -> None:
        if not self._running:
            return
        if self._held:
            self._pending = True
            return
        raise KeyboardInterrupt

    def enter(self) -> None:
        """A cell starts: interrupts raise from here on."""
        self._main = get_ident()
        self._pending = False
        self._held = 0
        self._running = True

    def leave(self) -> None:
        """The cell is over."""
        self._running = False

    def hold(self) -> None:
        """Interrupts wait, so that a frame is written or read whole. Only the main thread is ever interrupted."""
        if get_ident() == self._main:
            self._held += 1

    def open(self, wait: "Callable[[], object]") -> None:
        """Waits inside of `hold` in a way that an interrupt may end."""
        if get_ident() != self._main:
            wait()
            return
        held, self._held = self._held, 0
        try:
            if self._pending and self._running:
                self._pending = False
                raise KeyboardInterrupt
            wait()
        finally:
            self._held = held

    def release(self) -> None:
        """Ends `hold`; an interrupt that came meanwhile raises now."""
        if get_ident() == self._main:
            self._held = max(0, self._held - 1)
            if self._pending and not self._held and self._running:
                self._pending = False
                raise KeyboardInterrupt
