"""The private root: a read-only view of the system and the interpreter, and nothing else of the host's files."""

import ctypes
import os

from .kernel import check, libc, pivot_root

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
#: statvfs flags that a mount in a user namespace keeps and that a remount must therefore repeat.
_LOCKED = MS_NOSUID | MS_NODEV | MS_NOEXEC | 1024 | 2048 | 4096
_RELATIME = 1 << 21

#: System folders and files that interpreters, their packages and shells need. No /etc/passwd, no /home, no /sys.
SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/localtime",
    "/etc/mime.types",
)
#: Devices by name -> the host's device behind it. `full` reads like `zero`, but nobody can map it: shared mappings of
#: `zero` are memory that no limit counts.
DEVICES = {"null": "null", "zero": "full", "full": "full", "random": "random", "urandom": "urandom"}


def mount(source: "str | None", target: str, kind: "str | None", flags: int, data: "str | None" = None) -> None:
    """mount(2)."""
    encode = lambda text: None if text is None else text.encode()  # noqa: E731
    result = libc.mount(encode(source), encode(target), encode(kind), ctypes.c_ulong(flags), encode(data))
    check(result, f"mount {source or kind} on {target}")


def unmount(target: str) -> None:
    """Takes a mount away; it lives on while something of it is open."""
    check(libc.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def bind_read_only(source: str, target: str) -> None:
    """Shows `source` at `target`, read-only, without set-user-id programs and devices."""
    mount(source, target, None, MS_BIND | MS_REC)
    kept = os.statvfs(source).f_flag & _LOCKED
    flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | (kept & (MS_NODEV | MS_NOEXEC))
    kept_times = kept & (1024 | 2048)
    for extra in (kept_times | (_RELATIME if kept & 4096 else 0), kept_times, _RELATIME, 0):
        try:
            return mount(None, target, None, flags | extra)
        except PermissionError:
            if extra == 0:
                raise


def build_root(interpreter: "list[str]", scratch: str) -> None:
    """Builds the new root on `scratch` (an empty folder), enters it and lets go of the old one.

    Needs CAP_SYS_ADMIN over the mount namespace. `interpreter` lists the folders Python needs.
    """
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("tmpfs", scratch, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,nr_inodes=4k,mode=755")
    for path in [*SYSTEM, *outermost(interpreter)]:
        _show(path, scratch)
    os.makedirs(scratch + "/dev", exist_ok=True)
    for name, source in DEVICES.items():
        empty_file(f"{scratch}/dev/{name}")
        mount(f"/dev/{source}", f"{scratch}/dev/{name}", None, MS_BIND)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(target, f"{scratch}/dev/{name}")
    for name in ("proc", "tmp", "work", "home/repl", "dev/shm", ".repl", ".old"):
        os.makedirs(f"{scratch}/{name}", exist_ok=True)
    mount("proc", scratch + "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    os.chdir(scratch)
    pivot_root(scratch, scratch + "/.old")
    os.chdir("/")
    unmount("/.old")
    os.rmdir("/.old")
    mount(None, "/", None, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)


def _show(path: str, root: str) -> None:
    target = root + path
    if not os.path.lexists(path) or os.path.lexists(target):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(path) and path in SYSTEM:
        os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    elif os.path.isfile(path):
        empty_file(target)
    else:
        return
    bind_read_only(path, target)


def outermost(paths: "list[str]") -> "list[str]":
    """The folders that no other of them (or /usr) contains, so that nothing is mounted twice."""
    wanted = sorted({os.path.realpath(path) for path in paths if path} | {p for p in paths if p and not os.path.islink(p)})
    kept: "list[str]" = []
    for path in wanted:
        roots = [*kept, "/usr", "/nix/store"]
        if path != "/" and not any(path == root or path.startswith(root + "/") for root in roots):
            kept.append(path)
    return kept


def empty_file(path: str) -> None:
    """A place to mount a file on."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
