"""Trees of files: looked at, copied and removed.

Runs in the supervisor, on file names that cells chose: every step goes by folder descriptors and follows no links.
"""

import errno
import os
import stat

_DIR_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MAX_DEPTH = 200
#: Bytes of a path below the REPL's folders: with the store's own it stays below what the kernel takes (4096).
_MAX_PATH = 3500


class FilesTooDeep(OSError):
    """Folders nested deeper, or paths longer, than copies go."""


def describe(info: os.stat_result) -> tuple:
    """A mark that differs when a file has changed."""
    if stat.S_ISDIR(info.st_mode):
        return info.st_mode, 0, info.st_mtime_ns, 0, info.st_ino
    return info.st_mode, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino


def scan(root: str, *, prune: bool = False) -> "dict[str, tuple]":
    """Every file, folder and link below `root` by relative path, folders before what they hold.

    A file that no copy can hold is an error, or with `prune` taken away at once.
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
