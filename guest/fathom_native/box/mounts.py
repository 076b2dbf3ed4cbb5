"""The private root: a read-only view of the system and the interpreter, and nothing else of the host's files."""

import ctypes
import errno
import os
import struct

from .kernel import MOUNT_SETATTR, check, libc, pivot_root

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
#: How statvfs shows a mount's flags for times of access, and MS_RELATIME.
_NOATIME, _NODIRATIME, _SHOWN_RELATIME, _RELATIME = 1024, 2048, 4096, 1 << 21

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
#: Devices by name -> the host's device behind it. `full` reads like `zero`, but no process can map it: shared mappings
#: of `zero` are memory that no limit counts.
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
    """Shows `source` at `target`, with all that is mounted below it: read-only, no set-user-id programs, no devices."""
    mount(source, target, None, MS_BIND | MS_REC)
    restrict_tree(target, MS_RDONLY | MS_NOSUID | MS_NODEV)


def bind_device(source: str, target: str) -> None:
    """Shows one device: it can be read and written, and its mode, owner and times cannot be changed."""
    empty_file(target)
    mount(source, target, None, MS_BIND)
    restrict_tree(target, MS_RDONLY | MS_NOSUID | MS_NOEXEC)


def restrict_tree(target: str, flags: int) -> None:
    """Adds flags to a mount and every mount below it."""
    # The first four flags of mount(2) and of mount_setattr(2) have the same numbers.
    attributes = ctypes.create_string_buffer(struct.pack("=QQQQ", flags, 0, 0, 0), 32)
    at_root, size = ctypes.c_long(_AT_FDCWD), ctypes.c_size_t(32)
    result = libc.syscall(MOUNT_SETATTR, at_root, target.encode(), ctypes.c_uint(_AT_RECURSIVE), attributes, size)
    if result < 0 and ctypes.get_errno() == errno.ENOSYS:  # before Linux 5.12
        for path in _mounts_below(target):
            _restrict_one(path, flags)
        return
    check(result, f"mount_setattr {target}")


def _restrict_one(target: str, flags: int) -> None:
    """The same for one mount, whose own flags must be repeated."""
    kept = os.statvfs(target).f_flag
    flags |= MS_BIND | MS_REMOUNT | (kept & (MS_NOSUID | MS_NODEV | MS_NOEXEC))
    kept_times = kept & (_NOATIME | _NODIRATIME)
    for extra in (kept_times | (_RELATIME if kept & _SHOWN_RELATIME else 0), kept_times, _RELATIME, 0):
        try:
            return mount(None, target, None, flags | extra)
        except PermissionError:
            if extra == 0:
                raise


def _mounts_below(target: str) -> "list[str]":
    """`target` and every mount point below it."""
    with open("/proc/self/mountinfo", "rb") as file:
        points = [line.split()[4].decode("unicode_escape").encode("latin-1").decode() for line in file]
    return [target, *(point for point in points if point.startswith(target + "/"))]


def build_root(interpreter: "list[str]", scratch: str) -> None:
    """Builds the new root on `scratch` (an empty folder), enters it and leaves the old one.

    Needs CAP_SYS_ADMIN over the mount namespace. `interpreter` lists the folders Python needs.
    """
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("tmpfs", scratch, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,nr_inodes=4k,mode=755")
    for path in [*SYSTEM, *outermost(interpreter)]:
        _show(path, scratch)
    os.makedirs(scratch + "/dev", exist_ok=True)
    for name, source in DEVICES.items():
        bind_device(f"/dev/{source}", f"{scratch}/dev/{name}")
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


def open_processes(place: str) -> int:
    """A /proc of this pid namespace that no cell can reach, and that leaves out no process. Gives its descriptor."""
    mount("proc", place, "proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    folder = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    unmount(place)
    return folder


#: Facts about the machine that no program of a cell needs: how it was booted, and which boot this is.
_MASKED = ("/proc/cmdline", "/proc/sys/kernel/random/boot_id")


def mount_processes() -> None:
    """The processes of this pid namespace at /proc, read-only: a cell of the host's root owns the files there.

    Processes that a cell may not look into (the supervisor) are not listed.
    """
    flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC
    try:
        mount("proc", "/proc", "proc", flags, "hidepid=4")
    except OSError:  # before Linux 5.8; there members of root's group see the supervisor all the same
        mount("proc", "/proc", "proc", flags, "hidepid=2")
    for path in _MASKED:
        if os.path.exists(path):
            mount("/dev/null", path, None, MS_BIND)


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
    wanted = sorted(
        {os.path.realpath(path) for path in paths if path} | {p for p in paths if p and not os.path.islink(p)}
    )
    kept: "list[str]" = []
    for path in wanted:
        roots = [*kept, "/usr", "/nix/store"]
        if path != "/" and not any(path == root or path.startswith(root + "/") for root in roots):
            kept.append(path)
    return kept


def empty_file(path: str) -> None:
    """A place to mount a file on."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
