"""Files of the host's, as the launcher opens them: by descriptors, or several in one memory file."""

import errno
import json
import os
import stat

_PIECE = 1024 * 1024


class Unusable(Exception):
    """A file that cannot be shown, and why."""

    def __init__(self, path: str, error: OSError) -> None:
        super().__init__(path)
        self.path = path
        self.reason = error.strerror or str(error)
        self.code = error.errno


def fill_pack(pack: int, files: "list[list]") -> None:
    """Writes `[path in the REPL, path, bytes, identity]` of each: a line of JSON that lists them, then their bytes."""
    os.write(pack, json.dumps([[at, size] for at, _, size, _ in files]).encode() + b"\n")
    for _, path, size, identity in files:
        try:
            copy_into(pack, path, size, identity)
        except OSError as error:
            raise Unusable(path, error) from None


def open_file(path: str, expected: int, identity: str | None = None) -> int:
    """A regular file of the expected size, and the one that was checked. Never waits, as opening a pipe would."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    info = os.fstat(fd)
    problem = None
    if not stat.S_ISREG(info.st_mode):
        problem = "it is not a regular file"
    elif identity is not None and identity != f"{info.st_dev}:{info.st_ino}":
        problem = "another file has taken its place since it was checked"
    elif info.st_size != expected:
        problem = f"it had {expected} bytes when it was looked at and has {info.st_size} now"
    if problem is not None:
        os.close(fd)
        raise OSError(errno.EINVAL, problem)
    return fd


def copy_into(pack: int, path: str, expected: int, identity: "str | None") -> None:
    """Appends a file of the expected size. Raises OSError."""
    fd = open_file(path, expected, identity)
    try:
        at = 0
        while at < expected:
            sent = os.sendfile(pack, fd, at, min(_PIECE, expected - at))
            if sent == 0:
                raise OSError(errno.EINVAL, f"it had {expected} bytes when it was looked at and has {at} now")
            at += sent
    finally:
        os.close(fd)
