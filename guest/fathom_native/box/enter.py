"""Enters the box, in three steps that correspond to three processes: zygote, supervisor, live REPL."""

import os
import random
import socket
from typing import NamedTuple

from . import landlock, limits, mounts, seccomp
from .kernel import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    prctl,
    unshare,
    write_id_maps,
)

#: User and group inside of every box. Nothing else is mapped: root does not exist there.
INSIDE = 1000
_SIGKILL = 9

#: A file system of a REPL has one inode per so many bytes of `diskBytes`: a block. An inode is 1 KiB of kernel memory.
BYTES_PER_INODE = 4096
#: Inodes of the smallest one: enough for the folders of a few hundred small projects.
LEAST_INODES = 4096

#: Ways to enter, strongest first. `root` needs CAP_SYS_ADMIN, `user` unprivileged user namespaces, `rules` neither.
MODES = ("root", "user", "rules")

_NEEDED = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS


def zygote_flags(mode: str) -> "list[int]":
    """Namespaces for the zygote, in the order to try."""
    if mode == "rules":
        return [0]
    # A network namespace can only be come back to from the user namespace that it was made in; see `Networks`.
    flags = _NEEDED | (CLONE_NEWUSER | CLONE_NEWNET if mode == "user" else 0)
    return [flags | CLONE_NEWCGROUP, flags]


def supervisor_flags(mode: str) -> int:
    """Namespaces for each REPL: its own mounts, processes and, for its own process count, its own user namespace.

    Its network namespace comes from `Networks`.
    """
    return 0 if mode == "rules" else CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC


def box_zygote(
    mode: str, *, uid: int, gid: int, scratch: str, interpreter: "list[str]", executable: str
) -> "list[str]":
    """In the new zygote: builds the private root. `uid`, `gid` are those outside. Returns what fell short."""
    short: "list[str]" = []
    if mode == "user":
        write_id_maps(INSIDE, uid, gid)
    if mode != "rules":
        mounts.build_root(interpreter, scratch)
        socket.sethostname("fathom")
    if mode == "root":
        short += _leave_root(executable)
    prctl(PR_SET_PDEATHSIG, _SIGKILL)
    prctl(PR_SET_DUMPABLE, 0)
    if mode == "rules":
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        if uid == 0:
            short.append(
                "the kernel does not count root's processes: pid 1 of each REPL does, and ends what is too many"
            )
    return short


def _leave_root(executable: str) -> "list[str]":
    """From root to a user id that no other process has, then into a user namespace where only that user exists."""
    short: "list[str]" = []
    uid = _foreign_user(executable)
    if uid is None:
        uid = 0
        short.append(
            "the interpreter's files are readable by root only: cells run with root's user id, without its rights"
        )
    else:
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    prctl(PR_SET_DUMPABLE, 1)  # lost with the user id; /proc/self/uid_map could not be written without it
    unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET)
    write_id_maps(INSIDE, uid, uid)
    return short


def _foreign_user(executable: str) -> "int | None":
    """A user id without any rights that can still run the interpreter, tried on; None when there is none."""
    os.setgroups([])
    for uid in (2_000_000_000 + random.SystemRandom().randrange(100_000_000), 65534):
        os.setegid(uid)
        os.seteuid(uid)
        try:
            files = (os.__file__, os.R_OK), (executable, os.R_OK | os.X_OK)
            if all(os.access(path, how, effective_ids=True) for path, how in files):
                return uid
        finally:
            os.seteuid(0)
            os.setegid(0)
    return None


class SupervisorFolders(NamedTuple):
    """Descriptors of folders that a supervisor reaches and cells do not, but for what the first holds."""

    live: int
    #: The store for copies of the live folder.
    store: int
    #: Shows all processes.
    processes: int
    #: The files of contexts, to write by.
    contexts: int
    #: The same folder on a mount that is read-only from its first moment: a mount that is made of it is so as well.
    contexts_shown: int


def box_supervisor(*, disk: int, contexts: int, interpreter: "list[str]") -> SupervisorFolders:
    """In a new supervisor: the REPL's own files."""
    prctl(PR_SET_DUMPABLE, 1)  # for the maps; the zygote, which we are a copy of, is not dumpable
    write_id_maps(INSIDE, INSIDE, INSIDE)
    quota = f"size={disk},nr_inodes={max(LEAST_INODES, disk // BYTES_PER_INODE)},mode=700"
    flags = mounts.MS_NOSUID | mounts.MS_NODEV
    mounts.mount("store", "/.repl", "tmpfs", flags, quota)
    store = os.open("/.repl", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    mounts.unmount("/.repl")
    covered = _below_folders(interpreter)
    context_files, contexts_shown = _make_contexts(contexts)
    mounts.mount("files", "/.repl", "tmpfs", flags, quota)
    live = os.open("/.repl", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for name, target in FOLDERS.items():
        os.mkdir(f"/.repl/{name}", 0o755)
        mounts.mount(f"/.repl/{name}", target, None, mounts.MS_BIND)
    for path, fd in covered.items():
        _uncover(path, fd)
    mounts.unmount("/.repl")
    processes = mounts.open_processes("/.repl")
    mounts.mount_processes()
    prctl(PR_SET_DUMPABLE, 0)
    return SupervisorFolders(live, store, processes, context_files, contexts_shown)


#: Bytes for folders beside the files of contexts.
_CONTEXT_FOLDERS = 32 << 20


def _make_contexts(size: int) -> "tuple[int, int]":
    """A file system for files of contexts: a descriptor to write by, and one that shows it read-only.

    The host counts the bytes of files that it sends (`contextFileBytes`); `size` is the wall behind that.

    Nothing else writes: the mount behind the first is taken away, and that of the second is where the REPL's own folder
    covers it, which no cell can take off.
    """
    flags = mounts.MS_NOSUID | mounts.MS_NODEV | mounts.MS_NOEXEC
    mounts.mount("contexts", "/.repl", "tmpfs", flags, f"size={size + _CONTEXT_FOLDERS},mode=755")
    writable = os.open("/.repl", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    covered = FOLDERS["work"]
    mounts.mount("/.repl", covered, None, mounts.MS_BIND)
    mounts.restrict_tree(covered, flags | mounts.MS_RDONLY)
    shown = os.open(covered, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    mounts.unmount("/.repl")
    return writable, shown


def _below_folders(interpreter: "list[str]") -> "dict[str, int]":
    """Opens folders that Python needs and that the REPL's folders will cover: a virtual environment in /tmp, say."""
    covered = {}
    for path in mounts.outermost(interpreter):
        if os.path.exists(path) and any(path.startswith(folder + "/") for folder in FOLDERS.values()):
            covered[path] = os.open(path, os.O_PATH | os.O_CLOEXEC)
    return covered


def _uncover(path: str, fd: int) -> None:
    """Shows it again, in the REPL's own folder."""
    if os.path.isdir(f"/proc/self/fd/{fd}"):
        os.makedirs(path, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        mounts.empty_file(path)
    mounts.mount(f"/proc/self/fd/{fd}", path, None, mounts.MS_BIND | mounts.MS_REC)
    os.close(fd)


#: The REPL's own folders: name in its file system -> where cells see it.
FOLDERS = {"work": "/work", "tmp": "/tmp", "home": "/home/repl", "shm": "/dev/shm"}


def box_live(mode: str, *, limited: dict, folders: "list[str]", readable: "list[str]", program: bytes) -> "dict":
    """In the live process, last of all: limits, rules, no capabilities, the filter. Returns what holds.

    `readable` are paths beside the system's that it may read where there is no private root.
    """
    prctl(PR_SET_DUMPABLE, 1)
    limits.apply(
        memory=limited["memory"],
        disk=limited["disk"],
        processes=limited["processes"],
        threads=limited["threads"],
        snapshots=limited["snapshots"],
        tasks_of_user=mode == "rules",
    )
    read = ["/"] if mode != "rules" else [*mounts.SYSTEM, *readable, "/proc/self", "/proc/cpuinfo", "/proc/meminfo"]
    names = set(mounts.DEVICES.values()) if mode == "rules" else mounts.DEVICES
    devices = [f"/dev/{name}" for name in names]
    version = landlock.restrict(read, folders, devices)
    limits.drop_capabilities()
    seccomp.restrict(program)
    return {"landlock": version}
