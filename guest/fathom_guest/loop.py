"""One event loop for the life of the REPL, whose waiting is also waiting for the host."""

from .own import own_builtins as __builtins__

import asyncio
import asyncio.events
import threading
import warnings
from asyncio.base_events import BaseEventLoop
from collections.abc import Coroutine, Sequence
from weakref import WeakSet

from .calls import Call, Calls
from .channel import Channel
from .errors import CellEnd
from .executor import start_of
from .loop_selectors import BlockingSelector, PolledSelector

# Private from Python 3.14 on.
_BasePolicy = getattr(asyncio.events, "BaseDefaultEventLoopPolicy", None) or asyncio.events._BaseDefaultEventLoopPolicy
_get_running_loop = asyncio.events._get_running_loop
_set_running_loop = asyncio.events._set_running_loop
_swap_task = getattr(asyncio.tasks, "_swap_current_task", None)
_get_ident = threading.get_ident


class DeviceLoop(BaseEventLoop):
    """An event loop without descriptors."""

    def __init__(self, channel: Channel, calls: Calls) -> None:
        super().__init__()
        self._selector = BlockingSelector(channel)
        self._calls = calls

    def _process_events(self, events) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def run_in_executor(self, executor, function, *args):
        """There are no threads: a query goes out at once, anything else runs here and now."""
        self._check_closed()
        future = self.create_future()
        query = start_of(function, args)
        if query is not None:
            try:
                call = query()
            except Exception as error:
                future.set_exception(error)
            else:
                self._selector.waiting += 1
                call.notify = lambda: self._arrived(call, future)
                if call.done:
                    call.notify()
            return future
        try:
            future.set_result(function(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def _arrived(self, call: Call, future: asyncio.Future) -> None:
        self._selector.waiting -= 1
        if future.done():
            return
        try:
            future.set_result(self._calls.finish(call))
        except Exception as error:
            future.set_exception(error)


class EventLoop:
    """Runs coroutines of cells."""

    def __init__(self, channel: Channel, calls: Calls, *, threads: bool) -> None:
        self._channel = channel
        self._calls = calls
        self._threads = threads
        self._main = _get_ident()
        self._loop: "asyncio.AbstractEventLoop | None" = None
        #: Every loop that cells use.
        self._made: "WeakSet[asyncio.AbstractEventLoop]" = WeakSet()
        #: A loop has been made: most REPLs never need one.
        self._used = False

    def install(self) -> None:
        """Makes every event loop of cells one of ours; `asyncio.run` works inside of a running loop, and tasks can be
        made outside of one, as in a notebook, whose loop always runs."""
        _set_running_loop(None)
        outer = self

        class Policy(_BasePolicy):
            def _loop_factory(self):
                return outer.make()

            def get_event_loop(self):
                return super().get_event_loop() if _get_ident() != outer._main else outer.loop()

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            set_policy = getattr(asyncio.events, "_set_event_loop_policy", asyncio.events.set_event_loop_policy)
            set_policy(Policy())
        plain_run = asyncio.run

        def run(main, **options):
            return outer.nested(plain_run, main, options) if _get_running_loop() else plain_run(main, **options)

        run.__doc__ = plain_run.__doc__
        asyncio.run = asyncio.runners.run = run
        plain_create = asyncio.create_task

        def create_task(coro, **options):
            if _get_running_loop() is None and _get_ident() == outer._main:
                return outer.loop().create_task(coro, **options)
            return plain_create(coro, **options)

        create_task.__doc__ = plain_create.__doc__
        asyncio.create_task = asyncio.tasks.create_task = create_task
        plain_hook = threading.excepthook

        def hook(args) -> None:
            if not isinstance(args.exc_value, CellEnd):
                plain_hook(args)

        threading.excepthook = hook

    def make(self) -> asyncio.AbstractEventLoop:
        """A new loop that can wait for the host."""
        if self._channel.transport.fileno() is None:
            loop = DeviceLoop(self._channel, self._calls)
        else:
            loop = asyncio.SelectorEventLoop(PolledSelector(self._channel))
        loop.set_exception_handler(quiet)
        self._made.add(loop)
        self._used = True
        return loop

    def open_loops(self) -> bool:
        """Loops are open, in which tasks and callbacks of earlier cells may run on."""
        if not self._used:
            return False
        try:
            return any(not loop.is_closed() for loop in self._made)
        except Exception:
            return True  # a cell has broken asyncio

    def loop(self) -> asyncio.AbstractEventLoop:
        """The one loop of top-level `await`, made when first needed."""
        if self._loop is None or self._loop.is_closed():
            self._loop = self.make()
        return self._loop

    def run(self, coroutine: Coroutine) -> object:
        """Runs a coroutine of a cell to its end. Tasks it leaves continue when the loop runs next."""
        loop = self.loop()
        task = loop.create_task(coroutine)
        try:
            return loop.run_until_complete(task)
        finally:
            task.cancel()  # it is not done only after an interrupt

    def nested(self, run, main: Coroutine, options: dict) -> object:
        """`asyncio.run` in a cell that awaits at top level: a loop of its own, while the outer one is paused."""
        outer = _get_running_loop()
        task = _swap_task(outer, None) if _swap_task is not None else None
        _set_running_loop(None)
        try:
            return run(main, **options)
        finally:
            _set_running_loop(outer)
            if _swap_task is not None:
                _swap_task(outer, task)

    async def awaited(self, calls: Sequence[Call]) -> None:
        """Waits for calls without holding up the event loop."""
        loop = asyncio.get_running_loop()
        if not calls:
            return
        if not self._drives(loop):
            await loop.run_in_executor(None, self._block, calls)
            return
        future = loop.create_future()
        left = [len(calls)]

        def arrived() -> None:
            left[0] -= 1
            if left[0] == 0:
                if loop._thread_id == _get_ident():
                    settle(future)
                elif not loop.is_closed():
                    loop.call_soon_threadsafe(settle, future)

        for call in calls:
            call.notify = arrived
            self._calls.enqueue(call)
        # At the end of this turn of the loop, so that the calls of a `gather` share frames.
        loop.call_soon(self._calls.flush)
        selector = loop._selector
        selector.waiting += 1
        try:
            await future
        except asyncio.CancelledError:
            self._calls.cancel(calls)
            raise
        finally:
            selector.waiting -= 1

    def _drives(self, loop: object) -> bool:
        """The loop's selector reads the channel."""
        return isinstance(getattr(loop, "_selector", None), (PolledSelector, BlockingSelector))

    def _block(self, calls: Sequence[Call]) -> None:
        self._calls.start(calls)
        for call in calls:
            self._channel.wait(call)


def settle(future: asyncio.Future) -> None:
    """Ends a wait that has not been cancelled."""
    if not future.done():
        future.set_result(None)


def quiet(loop: asyncio.AbstractEventLoop, context: dict) -> None:
    """An answer given in a task is not an error, so asyncio must not report it."""
    if not isinstance(context.get("exception"), CellEnd):
        loop.default_exception_handler(context)
