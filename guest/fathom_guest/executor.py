"""`ThreadPoolExecutor` where there are no threads: same results, and queries still go out side by side."""

from .own import own_builtins as __builtins__

import concurrent.futures
import concurrent.futures.thread
import functools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, Future
from contextvars import Context
from types import BuiltinMethodType, FunctionType

from .calls import Call, Calls
from .channel import Channel

_CLEAR = (
    "threads do not exist in this REPL: use llm_query_batched for many prompts, asyncio.gather over allm_query, "
    "or concurrent.futures.ThreadPoolExecutor"
)


class QueryFuture(Future):
    """A future whose reply comes from the host: looking at it reads the channel."""

    def __init__(self, channel: Channel, calls: Calls, call: Call) -> None:
        super().__init__()
        self._channel = channel
        self._calls = calls
        self._call = call
        self.set_running_or_notify_cancel()
        call.notify = self._arrived
        if call.done:
            self._arrived()

    def _arrived(self) -> None:
        if super().done():
            return
        try:
            self.set_result(self._calls.finish(self._call))
        except Exception as error:
            self.set_exception(error)

    def result(self, timeout=None):
        self._channel.wait(self._call)
        return super().result(0)

    def exception(self, timeout=None):
        self._channel.wait(self._call)
        return super().exception(0)


def start_of(function: Callable, args: tuple = (), options: "dict | None" = None) -> "Callable[[], Call] | None":
    """How to send a query off without waiting, when `function` is one (also inside of `partial` or `to_thread`)."""
    options = dict(options or {})
    while True:
        if isinstance(function, functools.partial):
            args = function.args + args
            options = {**function.keywords, **options}
            function = function.func
        elif args and isinstance(function, BuiltinMethodType) and isinstance(function.__self__, Context):
            function, args = args[0], args[1:]  # Context.run, as `asyncio.to_thread` has it
        else:
            break
    start = function.__dict__.get("__fathom_start__") if isinstance(function, FunctionType) else None
    return None if start is None else lambda: start(*args, **options)


def make_executor(channel: Channel, calls: Calls) -> type:
    """The class that replaces `ThreadPoolExecutor`."""

    class ThreadPoolExecutor(concurrent.futures.Executor):
        """Queries go out at once and side by side; any other function runs when it is submitted, in order."""

        def __init__(self, max_workers=None, thread_name_prefix="", initializer=None, initargs=()):
            if max_workers is not None and max_workers <= 0:
                raise ValueError("max_workers must be greater than 0")
            self._max_workers = max_workers or 8
            self._shutdown = False
            if initializer is not None:
                initializer(*initargs)

        def submit(self, fn, /, *args, **kwargs):
            if self._shutdown:
                raise RuntimeError("cannot schedule new futures after shutdown")
            query = start_of(fn, args, kwargs)
            if query is None:
                return run_now(fn, args, kwargs)
            try:
                return QueryFuture(channel, calls, query())
            except Exception as error:
                future: Future = Future()
                future.set_exception(error)
                return future

        def map(self, fn, *iterables, timeout=None, chunksize=1, buffersize=None):
            futures = [self.submit(fn, *args) for args in zip(*iterables)]
            return (future.result() for future in futures)

        def shutdown(self, wait=True, *, cancel_futures=False):
            self._shutdown = True

    ThreadPoolExecutor.__module__ = "concurrent.futures.thread"
    ThreadPoolExecutor.__qualname__ = "ThreadPoolExecutor"
    return ThreadPoolExecutor


def run_now(function: Callable, args: tuple, options: dict) -> Future:
    """A finished future of a function that ran here."""
    future: Future = Future()
    future.set_running_or_notify_cancel()
    try:
        future.set_result(function(*args, **options))
    except Exception as error:
        future.set_exception(error)
    return future


def make_as_completed(channel: Channel) -> Callable:
    """`as_completed` that reads the channel while it waits."""

    def as_completed(fs: Iterable[Future], timeout=None) -> Iterator[Future]:
        end = None if timeout is None else time.monotonic() + timeout
        left = dict.fromkeys(fs)
        while left:
            done = [future for future in left if future.done()]
            for future in done:
                del left[future]
                yield future
            if left and not done:
                if end is not None and time.monotonic() > end:
                    raise concurrent.futures.TimeoutError(f"{len(left)} futures unfinished")
                channel.read_one()

    return as_completed


def make_wait(channel: Channel) -> Callable:
    """`wait` that reads the channel while it waits."""
    outcome = concurrent.futures._base.DoneAndNotDoneFutures

    def wait(fs: Iterable[Future], timeout=None, return_when=ALL_COMPLETED):
        end = None if timeout is None else time.monotonic() + timeout
        futures = set(fs)
        while True:
            done = {future for future in futures if future.done()}
            failed = any(not future.cancelled() and future.exception() is not None for future in done)
            enough = (
                len(done) == len(futures)
                or (return_when == FIRST_COMPLETED and done)
                or (return_when == FIRST_EXCEPTION and failed)
                or (end is not None and time.monotonic() > end)
            )
            if enough:
                return outcome(done, futures - done)
            channel.read_one()

    return wait


def install(channel: Channel, calls: Calls) -> None:
    """Puts the stand-ins in place. Plain threads get an error that says what to do."""
    executor = make_executor(channel, calls)
    wait, as_completed = make_wait(channel), make_as_completed(channel)
    # The module loads its executors on first use; a name in its dict comes first.
    concurrent.futures.thread.ThreadPoolExecutor = executor
    concurrent.futures.ThreadPoolExecutor = executor
    concurrent.futures.wait = concurrent.futures._base.wait = wait
    concurrent.futures.as_completed = concurrent.futures._base.as_completed = as_completed

    def start(self) -> None:
        raise RuntimeError(_CLEAR)

    threading.Thread.start = start
