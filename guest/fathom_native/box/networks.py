"""A network namespace for each REPL, from those that earlier REPLs have left."""

import os
from typing import Callable

from .kernel import CLONE_NEWNET, enter_namespace, unshare

#: Namespaces kept for later REPLs. Making and ending one costs the kernel a millisecond of processor time, half as much
#: as everything else that a new REPL needs; one that waits holds some 100 KB.
KEPT = 32
_OWN = "/proc/self/ns/net"


class Networks:
    """The free and used namespaces of a zygote, made once it is in its box.

    Nothing leads in or out of these namespaces, and no socket in them has a name. A namespace is reused when the last
    process in it has ended: it is then as empty as a new one.
    """

    def __init__(self) -> None:
        self._home = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
        self._free: "list[int]" = []
        #: Supervisor -> the namespace it was forked into.
        self._used: "dict[int, int]" = {}

    def fork(self, fork: "Callable[[], int]") -> int:
        """Calls `fork` in a namespace that no REPL uses, and comes back in the parent."""
        if self._free:
            network = self._free.pop()
            enter_namespace(network, CLONE_NEWNET)
        else:
            unshare(CLONE_NEWNET)
            network = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
        pid = -1
        try:
            pid = fork()
        finally:
            if pid > 0:
                self._used[pid] = network
            else:
                self._keep(network)
            if pid != 0:
                enter_namespace(self._home, CLONE_NEWNET)
        return pid

    def ended(self, process: int) -> None:
        """The process has been waited for. A supervisor is pid 1 of its REPL: with it, all others have ended."""
        network = self._used.pop(process, None)
        if network is not None:
            self._keep(network)

    def _keep(self, network: int) -> None:
        if len(self._free) < KEPT:
            self._free.append(network)
        else:
            os.close(network)

    def forget(self) -> None:
        """In a fork: closes all of them."""
        for network in (self._home, *self._free, *self._used.values()):
            os.close(network)
        self._free, self._used = [], {}
