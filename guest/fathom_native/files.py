"""Copies of a REPL's files for its snapshots. What has not changed since the last copy is linked, not copied.

Runs in the keeper, on file names that cells chose: every step goes by folder descriptors and follows no links.
"""

import errno
import os
import stat
import time

#: A file changed this shortly before it was copied may change again within one tick of the kernel's clock, and then
#: look the same: it is copied again the next time. Linux ticks at 100 Hz or faster.
_TICK_NS = 20_000_000
_DIR_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MAX_DEPTH = 200
#: Bytes of a path below the REPL's folders: with the store's own it stays below what the kernel takes (4096).
_MAX_PATH = 3500


class FilesTooDeep(OSError):
    """Folders nested deeper, or paths longer, than copies go."""


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

    def take(self) -> Copy:
        """A copy of the files as they are. The latest one again when nothing has changed since."""
        latest = self._latest
        inodes = self._inodes()
        if latest is not None and inodes and latest.empty_at == inodes:
            latest.users += 1
            return latest
        seen = scan(self._live)
        if latest is not None and same(seen, latest.entries):
            latest.users += 1
            return latest
        self._count += 1
        copy = Copy(f"{self._store}/{self._count}")
        now = time.time_ns()
        os.mkdir(copy.folder, 0o700)
        try:
            for path, entry in seen.items():
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

    def put_back(self, copy: Copy) -> None:
        """Makes the files what they were. Nothing may run that writes to them."""
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

    def empty(self) -> None:
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


def describe(info: os.stat_result) -> tuple:
    """What tells whether a file has changed."""
    if stat.S_ISDIR(info.st_mode):
        return info.st_mode, 0, info.st_mtime_ns, 0, info.st_ino
    return info.st_mode, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino


def same(seen: "dict[str, tuple]", entries: "dict[str, tuple]") -> bool:
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


def scan(root: str, *, prune: bool = False) -> "dict[str, tuple]":
    """Every file, folder and link below `root` by relative path, folders before what they hold.

    What no copy can hold is an error, or with `prune` taken away at once.
    """
    found: "dict[str, tuple]" = {}
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)  # may be a name in /proc/self/fd
    try:
        _scan(fd, "", found, 0, prune)
    finally:
        os.close(fd)
    return found


def _scan(fd: int, prefix: str, found: "dict[str, tuple]", depth: int, prune: bool) -> None:
    if depth > _MAX_DEPTH:
        if prune:
            return _clear(fd, depth)
        raise FilesTooDeep(errno.ELOOP, f"folders are nested deeper than {_MAX_DEPTH}")
    folders = []
    longest = _MAX_PATH - len(os.fsencode(prefix))
    with os.scandir(fd) as entries:
        for entry in entries:
            if len(os.fsencode(entry.name)) > longest:
                if prune:
                    _remove_at(entry.name, fd, depth)
                    continue
                raise FilesTooDeep(errno.ENAMETOOLONG, f"a path is longer than {_MAX_PATH} bytes")
            info = entry.stat(follow_symlinks=False)
            found[prefix + entry.name] = describe(info)
            if stat.S_ISDIR(info.st_mode):
                folders.append(entry.name)
    for name in folders:
        try:
            inner = os.open(name, _DIR_FLAGS, dir_fd=fd)
        except PermissionError:
            continue  # a folder the cell has closed to itself
        try:
            _scan(inner, f"{prefix}{name}/", found, depth + 1, prune)
        finally:
            os.close(inner)


def copy_file(source: str, target: str, mode: int) -> None:
    """Copies a regular file without filling its holes."""
    source_fd = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        info = os.fstat(source_fd)
        target_fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            if stat.S_ISREG(info.st_mode):
                os.truncate(target_fd, info.st_size)
                _copy_data(source_fd, target_fd, info.st_size)
            os.fchmod(target_fd, stat.S_IMODE(mode))
        finally:
            os.close(target_fd)
    finally:
        os.close(source_fd)


def _copy_data(source: int, target: int, size: int) -> None:
    at = 0
    while at < size:
        try:
            at = os.lseek(source, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return  # only a hole is left
            raise
        end = os.lseek(source, at, os.SEEK_HOLE)
        os.lseek(target, at, os.SEEK_SET)
        while at < end:
            sent = os.sendfile(target, source, at, end - at)
            if sent == 0:
                return
            at += sent


def make_other(source: str, target: str, mode: int) -> None:
    """Makes a folder, link or pipe like `source`. Anything else cannot be made by cells."""
    if stat.S_ISDIR(mode):
        os.mkdir(target, stat.S_IMODE(mode) | 0o700)
    elif stat.S_ISLNK(mode):
        os.symlink(os.readlink(source), target)
    elif stat.S_ISFIFO(mode):
        os.mkfifo(target, stat.S_IMODE(mode))


def restore_times(target: str, entry: tuple) -> None:
    """The time of last change as it was, and a folder's rights."""
    if stat.S_ISDIR(entry[0]):
        os.chmod(target, stat.S_IMODE(entry[0]))
    if not stat.S_ISLNK(entry[0]):
        os.utime(target, ns=(entry[2], entry[2]))


def remove(path: str) -> None:
    """Takes away a file or a whole folder; one that has gone already is fine."""
    _remove_at(path, None, 0)


def _remove_at(name: str, folder: "int | None", depth: int) -> None:
    try:
        if not _is_folder(name, folder):
            os.unlink(name, dir_fd=folder)
            return
        inner = _open_folder(name, folder)
        try:
            _clear(inner, depth + 1)
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        if error.errno != errno.EBUSY:  # a place where a part of the interpreter is mounted
            raise


def _clear(folder: int, depth: int) -> None:
    """Takes away all that a folder holds. Cells nest folders deeper than any stack, and than descriptors there are:
    too deep down, each folder's folders are first brought up to where we are."""
    if depth <= _MAX_DEPTH:
        for name in os.listdir(folder):
            _remove_at(name, folder, depth)
        return
    while names := os.listdir(folder):
        for name in names:
            if not _is_folder(name, folder):
                os.unlink(name, dir_fd=folder)
                continue
            inner = _open_folder(name, folder)
            try:
                for below in os.listdir(inner):
                    if _is_folder(below, inner):
                        os.chmod(below, 0o700, dir_fd=inner)  # or else it could not be moved
                        os.rename(below, os.urandom(16).hex(), src_dir_fd=inner, dst_dir_fd=folder)
                    else:
                        os.unlink(below, dir_fd=inner)
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=folder)


def _is_folder(name: str, folder: "int | None") -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)


def _open_folder(name: str, folder: "int | None") -> int:
    os.chmod(name, 0o700, dir_fd=folder)
    return os.open(name, _DIR_FLAGS, dir_fd=folder)
