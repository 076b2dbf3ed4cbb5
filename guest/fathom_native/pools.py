"""Idle thread pools: a fork loses their threads, but nothing else. They do not stand in the way of a snapshot.

Cells leave pools behind all the time (`ThreadPoolExecutor` without `with`, `asyncio.to_thread`). As long as every
thread of a pool waits for work, a snapshot can do without them: its pool is reset to no threads, and makes new ones.
"""

from fathom_guest.own import own_builtins as __builtins__

from concurrent.futures.thread import ThreadPoolExecutor, _threads_queues
from queue import SimpleQueue
from threading import Semaphore


def idle_pools() -> "tuple[list[ThreadPoolExecutor], int]":
    """Pools all of whose threads wait for work, and how many threads that are."""
    pools: "dict[int, ThreadPoolExecutor]" = {}
    for thread in list(_threads_queues):
        try:
            if thread.is_alive():
                pool = thread._args[0]()
                pools[id(pool)] = pool
        except (AttributeError, IndexError, TypeError):
            continue  # another Python keeps this elsewhere: its pools count as busy
    idle = [pool for pool in pools.values() if _is_idle(pool)]
    return idle, sum(len(pool._threads) for pool in idle)


def _is_idle(pool: object) -> bool:
    try:
        return (
            type(pool) is ThreadPoolExecutor
            and pool._work_queue.empty()
            and pool._idle_semaphore._value >= len(pool._threads)
        )
    except AttributeError:
        return False


def forget_threads(pools: "list[ThreadPoolExecutor]") -> None:
    """In a snapshot process: these pools have no threads any more."""
    for pool in pools:
        pool._threads.clear()
        pool._work_queue = SimpleQueue()
        pool._idle_semaphore = Semaphore(0)
