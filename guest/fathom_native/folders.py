"""Where a REPL's files lie: in a file system of its own, or in a folder of the host's where there are no namespaces."""

import os

from .box import enter
from .box.kernel import PR_SET_CHILD_SUBREAPER, prctl
from .context_files import ContextFiles
from .processes import look_in


class Folders:
    """The REPL's files (`root`), the store for copies of them, and where cells see the first (`seen`)."""

    __slots__ = ("root", "store", "seen", "contexts", "readable", "scratch")

    def __init__(
        self,
        *,
        root: str,
        store: str,
        seen: "list[str]",
        contexts: ContextFiles,
        readable: "list[str]",
        scratch: "str | None",
    ) -> None:
        self.root = root
        self.store = store
        self.seen = seen
        self.contexts = contexts
        #: Folders beside those of `seen` that cells may read.
        self.readable = readable
        #: A folder of the host's to remove at the end.
        self.scratch = scratch


def make_folders(mode: str, scratch: str, *, options: dict, interpreter: "list[str]") -> Folders:
    """In a new supervisor: its namespaces' mounts, or plain folders below `scratch`."""
    if mode != "rules":
        box = enter.box_supervisor(disk=options["disk"], contexts=options["contexts"], interpreter=interpreter)
        look_in(_path_of(box.processes))
        root, seen = _path_of(box.live), list(enter.FOLDERS.values())
        shown = ContextFiles(writable=_path_of(box.contexts), source=_path_of(box.contexts_shown), work=seen[0])
        return Folders(root=root, store=_path_of(box.store), seen=seen, contexts=shown, readable=[], scratch=None)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    root, store = scratch + "/files", scratch + "/store"
    seen = [f"{root}/{name}" for name in enter.FOLDERS]
    context_files = scratch + "/contexts"
    for path in (scratch, root, store, context_files, *seen):
        os.mkdir(path, 0o700)
    shown = ContextFiles(writable=context_files, source=None, work=seen[0])
    return Folders(root=root, store=store, seen=seen, contexts=shown, readable=[context_files], scratch=scratch)


def _path_of(fd: int) -> str:
    return f"/proc/self/fd/{fd}"
