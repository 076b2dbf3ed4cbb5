"""Files of contexts, as cells can open them: written by the supervisor, read-only for cells, and in no snapshot."""

import errno
import json
import os

from .box import mounts

#: Where cells see them, in the working directory.
FOLDER = "context"
_DIR_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: A folder and a file of a context can be read by all and written by none.
_FOLDER_MODE, _FILE_MODE = 0o555, 0o444


class ContextFiles:
    """The folder of one REPL's context files.

    `writable` is the path by which the supervisor writes. With namespaces `source` names the same folder on a
    read-only mount, which is mounted in the working directory. Without them it is None: a link leads from there to
    the folder, and Landlock lets cells only read it.
    """

    def __init__(self, *, writable: str, source: "str | None", work: str) -> None:
        self._writable = writable
        self._source = source
        self._place = f"{work}/{FOLDER}"
        self._shown = False

    def add(self, pack: int) -> str:
        """Unpacks files from a descriptor (see `fill_pack`). Returns the error, or an empty text."""
        try:
            self._show()
            with os.fdopen(os.dup(pack), "rb", 0) as file:
                os.lseek(pack, 0, os.SEEK_SET)
                index, at = _read_index(file)
            for path, size in index:
                self._write(path, pack, at, size)
                at += size
        except OSError as error:
            return error.strerror or str(error)
        except ValueError as error:  # a name that no file can have
            return str(error)
        return ""

    def show_again(self) -> None:
        """After a rollback: a link may have gone with the files that were put back."""
        if self._shown and self._source is None:
            self._link()

    def _show(self) -> None:
        if not self._shown and self._source is not None:
            self._mount(self._source)
        elif self._source is None:
            self._link()
        self._shown = True

    def _mount(self, source: str) -> None:
        try:
            os.mkdir(self._place, 0o755)
        except FileExistsError:
            raise _in_the_way() from None
        # A thread of a cell may put a link in its place: what is mounted on is the folder that was opened.
        target = os.open(self._place, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            mounts.mount(source, f"/proc/self/fd/{target}", None, mounts.MS_BIND)
        finally:
            os.close(target)

    def _link(self) -> None:
        try:
            os.symlink(self._writable, self._place)
        except FileExistsError:
            if not os.path.islink(self._place) or os.readlink(self._place) != self._writable:
                raise _in_the_way() from None

    def _write(self, path: str, pack: int, at: int, size: int) -> None:
        *folders, name = path.split("/")
        folder = os.open(self._writable, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for inner in folders:
                folder = _enter(folder, inner)
            _write_file(_checked(name), folder, pack, at, size)
        finally:
            os.close(folder)


def _in_the_way() -> OSError:
    return OSError(
        errno.EEXIST, f"`{FOLDER}` in the working directory is the place of the context's files, and is taken"
    )


def _read_index(file: "os.PathLike | object") -> "tuple[list, int]":
    """The index and where it ends."""
    line = b""
    while b"\n" not in line:
        piece = file.read(1 << 20)
        if not piece:
            raise OSError(errno.EINVAL, "the files came without an index")
        line += piece
    line = line.partition(b"\n")[0]
    return json.loads(line), len(line) + 1


def _enter(folder: int, name: str) -> int:
    """The folder of that name, made if need be; `folder` is closed."""
    try:
        try:
            os.mkdir(_checked(name), 0o700, dir_fd=folder)
        except FileExistsError:
            pass
        inner = os.open(name, _DIR_FLAGS, dir_fd=folder)
        os.fchmod(inner, _FOLDER_MODE | 0o200)
        return inner
    finally:
        os.close(folder)


def _write_file(name: str, folder: int, pack: int, at: int, size: int) -> None:
    """Writes a file in the place of what was there."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    target = os.open(name, flags, 0o600, dir_fd=folder)
    try:
        end = at + size
        while at < end:
            sent = os.sendfile(target, pack, at, end - at)
            if sent == 0:
                raise OSError(errno.EINVAL, "the files came cut off")
            at += sent
        os.fchmod(target, _FILE_MODE)
    finally:
        os.close(target)


def _checked(name: str) -> str:
    if name in ("", ".", ".."):
        raise OSError(errno.EINVAL, "a file has a name that no file can have")
    return name
