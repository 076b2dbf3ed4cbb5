"""System calls that Python does not offer, by ctypes. Linux on x86_64 and aarch64."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
#: Does not release the interpreter lock: for forks.
_locked_libc = ctypes.PyDLL(None, use_errno=True)

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
SIGCHLD = 17

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NAME = 15
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

MACHINE = os.uname().machine

#: Numbers that differ between machines.
_SYSCALLS = {"x86_64": {"pivot_root": 155, "clone": 56}, "aarch64": {"pivot_root": 41, "clone": 220}}
#: Numbers that are the same everywhere (all calls since 2019 are).
MOUNT_SETATTR = 442
LANDLOCK_CREATE_RULESET = 444
LANDLOCK_ADD_RULE = 445
LANDLOCK_RESTRICT_SELF = 446


def supported() -> bool:
    """True where this package knows the machine's system calls."""
    return MACHINE in _SYSCALLS and os.uname().sysname == "Linux"


def check(result: int, what: str) -> int:
    """Returns `result`, or raises the OSError that it signals."""
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def prctl(option: int, value: int, what: str = "prctl") -> None:
    """prctl(2) with one argument."""
    check(libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), what)


def unshare(flags: int) -> None:
    """Enters new namespaces. For a new user namespace the process must have one thread."""
    check(libc.unshare(flags), "unshare")


def enter_namespace(namespace: int, kind: int) -> None:
    """Enters the namespace behind a descriptor."""
    check(libc.setns(namespace, kind), "setns")


def pivot_root(new: str, old: str) -> None:
    """Makes `new` the root and puts the old one at `old`."""
    check(libc.syscall(_SYSCALLS[MACHINE]["pivot_root"], new.encode(), old.encode()), "pivot_root")


def set_process_name(name: str) -> None:
    """Sets the name that `ps` shows."""
    libc.prctl(PR_SET_NAME, name.encode()[:15] + b"\0", 0, 0, 0)


def set_command_line(text: str) -> None:
    """Sets the text that /proc/PID/cmdline shows for this process and its forks: not the paths it was started with."""
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b") ")[2].split()
    start, end = int(fields[45]), int(fields[46])
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, text.encode()[: end - start - 1], min(len(text.encode()), end - start - 1))


def fork_into(flags: int) -> int:
    """fork() whose child is in new namespaces: one fork where unshare() would need two for a pid namespace.

    The C library's cached thread id of the child is the parent's; the child therefore must not start threads.
    Supervisors do not, and their own children, forked by os.fork(), have the right id again.
    """
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    pid = _locked_libc.syscall(_SYSCALLS[MACHINE]["clone"], ctypes.c_ulong(flags | SIGCHLD), 0, 0, 0, 0)
    code = ctypes.get_errno()
    if pid == 0:
        python.PyOS_AfterFork_Child()
        return 0
    python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(code, f"clone: {os.strerror(code)}")
    return pid


def write_id_maps(inside: int, uid: int, gid: int) -> None:
    """Maps one user and group into the user namespace just entered. `uid`, `gid` are those of the process outside."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{inside} {uid} 1"), ("gid_map", f"{inside} {gid} 1")):
        fd = os.open(f"/proc/self/{name}", os.O_WRONLY)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)
