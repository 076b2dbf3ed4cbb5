"""Copies of a REPL's files for its snapshots. A file that has not changed since the last copy is linked, not copied."""

import os
import stat
import time
from collections.abc import Callable

from .file_tree import copy_file, describe, make_other, remove, restore_times, scan

#: A file changed this shortly before it was copied may change again within one tick of the kernel's clock, and then
#: look the same: it is copied again the next time. Linux ticks at 100 Hz or faster.
_TICK_NS = 20_000_000


#: Files copied between two questions whether the copy is still wanted.
_PIECE = 256


class CopyGivenUp(Exception):
    """Frees a copy that is not needed any more."""


class Copy:
    """The files of one snapshot: where they lie in the store, and what each looked like when it was copied."""

    __slots__ = ("folder", "entries", "bytes", "users", "empty_at")

    def __init__(self, folder: str) -> None:
        self.folder = folder
        #: path -> (mode, size, mtime_ns, ctime_ns, inode, racy)
        self.entries: "dict[str, tuple]" = {}
        self.bytes = 0
        self.users = 0
        #: How many inodes there were when there was nothing in the REPL's folders; 0 when there was something.
        self.empty_at = 0


class FileStore:
    """Takes and puts back copies of `live`, a folder; keeps them below `store`, a folder cells cannot reach.

    `own` says that `live` is a file system of its own.
    """

    def __init__(self, live: str, store: str, *, own: bool) -> None:
        self._live = live
        self._own = own
        self._store = store
        self._count = 0
        self._latest: "Copy | None" = None

    def take(self, given_up: "Callable[[], bool]" = bool) -> Copy:
        """A copy of the files as they are. The latest one again when nothing has changed since.

        Raises CopyGivenUp soon after `given_up` has begun to say so.
        """
        latest = self._latest
        inodes = self._inodes()
        if latest is not None and inodes and latest.empty_at == inodes:
            latest.users += 1
            return latest
        seen = scan(self._live)
        if latest is not None and _same(seen, latest.entries):
            latest.users += 1
            return latest
        self._count += 1
        copy = Copy(f"{self._store}/{self._count}")
        now = time.time_ns()
        os.mkdir(copy.folder, 0o700)
        try:
            for number, (path, entry) in enumerate(seen.items()):
                if number % _PIECE == _PIECE - 1 and given_up():
                    raise CopyGivenUp
                self._take_one(copy, path, entry, latest, now)
        except BaseException:
            remove(copy.folder)
            raise
        copy.users = 1
        if all("/" not in path and stat.S_ISDIR(entry[0]) for path, entry in seen.items()):
            copy.empty_at = inodes
        self._set_latest(copy)
        return copy

    def _inodes(self) -> int:
        """How many files and folders there are. With none but the REPL's folders themselves, that says it all."""
        info = os.statvfs(self._live)
        return info.f_files - info.f_ffree if self._own else 0

    def _take_one(self, copy: Copy, path: str, entry: tuple, latest: "Copy | None", now: int) -> None:
        mode, size = entry[0], entry[1]
        target = f"{copy.folder}/{path}"
        if stat.S_ISREG(mode):
            before = latest.entries.get(path) if latest is not None else None
            if latest is not None and before is not None and before[:5] == entry and not before[5]:
                os.link(f"{latest.folder}/{path}", target, follow_symlinks=False)
            else:
                copy_file(f"{self._live}/{path}", target, mode)
                copy.bytes += size
        else:
            make_other(f"{self._live}/{path}", target, mode)
        racy = entry[3] >= now - _TICK_NS
        copy.entries[path] = (*entry, racy)

    def put_back(self, copy: "Copy | None") -> None:
        """Makes the files what they were; without a copy there were none. Nothing may run that writes to them."""
        if copy is None:
            return self._empty()
        seen = scan(self._live, prune=True)
        for path in sorted(seen, reverse=True):
            before = copy.entries.get(path)
            if before is None or (not stat.S_ISDIR(before[0]) and (before[:5] != seen[path] or before[5])):
                remove(f"{self._live}/{path}")
                del seen[path]
            elif stat.S_ISDIR(before[0]) != stat.S_ISDIR(seen[path][0]):
                remove(f"{self._live}/{path}")
                seen = {name: one for name, one in seen.items() if name != path and not name.startswith(path + "/")}
        for path, entry in sorted(copy.entries.items()):
            if path not in seen:
                copy.entries[path] = self._put_one(copy, path, entry)
        for path, entry in sorted(copy.entries.items(), reverse=True):
            if stat.S_ISDIR(entry[0]):
                restore_times(f"{self._live}/{path}", entry)
                copy.entries[path] = (*describe(os.lstat(f"{self._live}/{path}")), True)
        self._set_latest(copy)

    def _put_one(self, copy: Copy, path: str, entry: tuple) -> tuple:
        target = f"{self._live}/{path}"
        if stat.S_ISREG(entry[0]):
            copy_file(f"{copy.folder}/{path}", target, entry[0])
        else:
            make_other(f"{copy.folder}/{path}", target, entry[0])
        restore_times(target, entry)
        return (*describe(os.lstat(target)), False)

    def _empty(self) -> None:
        """Takes away everything but the folders directly below, which are mounted elsewhere."""
        for name in os.listdir(self._live):
            for inner in os.listdir(f"{self._live}/{name}"):
                remove(f"{self._live}/{name}/{inner}")

    def release(self, copy: Copy) -> None:
        """One snapshot less that needs the copy."""
        copy.users -= 1
        if copy.users <= 0 and copy is not self._latest:
            remove(copy.folder)

    def _set_latest(self, copy: Copy) -> None:
        before, self._latest = self._latest, copy
        if before is not None and before is not copy and before.users <= 0:
            remove(before.folder)


def _same(seen: "dict[str, tuple]", entries: "dict[str, tuple]") -> bool:
    """Nothing was added, taken away or changed."""
    if len(seen) != len(entries):
        return False
    for path, entry in seen.items():
        before = entries.get(path)
        if before is None:
            return False
        if stat.S_ISDIR(entry[0]):
            if before[0] != entry[0]:
                return False
        elif before[:5] != entry or before[5]:
            return False
    return True
