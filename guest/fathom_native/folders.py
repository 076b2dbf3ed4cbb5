"""Where a REPL's files lie: in a file system of its own, or in a folder of the host's where there are no namespaces."""

import os

from .box import enter
from .box.kernel import PR_SET_CHILD_SUBREAPER, prctl
from .processes import look_in


class Folders:
    """The REPL's files (`root`), the store for copies of them, and where cells see the first (`seen`)."""

    __slots__ = ("root", "store", "seen", "scratch")

    def __init__(self, root: str, store: str, seen: "list[str]", scratch: "str | None") -> None:
        self.root = root
        self.store = store
        self.seen = seen
        #: A folder of the host's to remove at the end.
        self.scratch = scratch


def make_folders(mode: str, scratch: str, *, disk: int, interpreter: "list[str]") -> Folders:
    """In a new supervisor: its namespaces' mounts, or plain folders below `scratch`."""
    if mode != "rules":
        live, store, processes = enter.box_supervisor(disk=disk, interpreter=interpreter)
        look_in(f"/proc/self/fd/{processes}")
        return Folders(f"/proc/self/fd/{live}", f"/proc/self/fd/{store}", list(enter.FOLDERS.values()), None)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    root, store = scratch + "/files", scratch + "/store"
    seen = [f"{root}/{name}" for name in enter.FOLDERS]
    for path in (scratch, root, store, *seen):
        os.mkdir(path, 0o700)
    return Folders(root, store, seen, scratch)
