"""The proof: what a cell could try, tried from where a cell is. Each attempt must fail; its findings are reported."""

import ctypes
import errno
import json
import os
import resource
import socket as sockets
import struct

from .attempts import changed_metadata, shared_with_host
from .box.kernel import MACHINE, libc

_HEAD = struct.Struct("<I")


def run_probe(channel: int, wanted: dict, reached: dict) -> None:
    """Writes the findings to the channel as one JSON text and ends."""
    findings = {
        "files": _files(wanted),
        "writes": _writes(wanted),
        "metadata": changed_metadata(wanted),
        "shared": shared_with_host(wanted, _outside(wanted)),
        "network": _network(wanted),
        "processes": _processes(wanted),
        "signals": _signals(wanted),
        "privileges": _privileges(),
        "environment": sorted(os.environ),
        "descriptors": _descriptors(),
        "uid": os.getuid(),
        **reached,
    }
    data = json.dumps(findings).encode()
    data = _HEAD.pack(len(data)) + data
    while data:
        data = data[os.write(channel, data) :]


def _files(wanted: dict) -> "list[str]":
    """Host files that could be read: the canary by every way to it, and well-known ones."""
    found = []
    canary = wanted["canary"]
    ways = [canary, *(f"{prefix}{canary}" for prefix in ("/proc/1/root", "/proc/self/root", "/work/../..", "/.old"))]
    ways += [
        "/etc/passwd",
        "/etc/shadow",
        "/etc/hostname",
        "/proc/1/environ",
        "/proc/1/mem",
        *wanted.get("secrets", []),
    ]
    for path in ways:
        try:
            with open(path, "rb") as file:
                if file.read(1) or path == canary:
                    found.append(path)
        except OSError:
            continue
    for folder in ("/root", "/home", "/var", "/mnt", "/srv", "/sys", "/run", os.path.dirname(canary)):
        try:
            names = os.listdir(folder)
            # The way to the interpreter is there, with nothing beside it.
            way = {
                path[len(folder) + 1 :].split("/")[0] for path in wanted["interpreter"] if path.startswith(folder + "/")
            }
            if set(names) - way - {"repl"}:
                found.append(folder + "/")
        except OSError:
            continue
    return found


def _writes(wanted: dict) -> "list[str]":
    """Places outside of the REPL's own folders that could be written to."""
    found = []
    places = ["/", "/usr", "/etc", "/usr/lib", "/usr/local", "/dev", "/var/tmp", "/proc/self", "/proc/sys/kernel"]
    for folder in [*places, os.path.dirname(wanted["canary"]), *wanted["interpreter"]]:
        path = f"{folder.rstrip('/')}/fathom-probe-{os.getpid()}"
        try:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        except OSError:
            continue
        found.append(path)
        try:
            os.unlink(path)
        except OSError:
            pass
    for path in (wanted["canary"], "/proc/sys/kernel/hostname", "/proc/sysrq-trigger"):
        try:
            os.close(os.open(path, os.O_WRONLY))
            found.append(path)
        except OSError:
            continue
    return found


def _network(wanted: dict) -> "list[str]":
    """Sockets that could be made or connected."""
    found = []
    attempts = [
        ("tcp", sockets.AF_INET, sockets.SOCK_STREAM, ("127.0.0.1", wanted["port"])),
        ("tcp6", sockets.AF_INET6, sockets.SOCK_STREAM, ("::1", wanted["port"])),
        ("udp", sockets.AF_INET, sockets.SOCK_DGRAM, ("127.0.0.1", wanted["port"])),
        ("unix", sockets.AF_UNIX, sockets.SOCK_STREAM, wanted["socket"]),
        ("abstract", sockets.AF_UNIX, sockets.SOCK_STREAM, "\0" + wanted["socket"]),
    ]
    for name, family, kind, address in attempts:
        try:
            with sockets.socket(family, kind) as attempt:
                attempt.settimeout(0.5)
                attempt.connect(address)
                if kind == sockets.SOCK_DGRAM:
                    attempt.send(b"fathom")
                found.append(name)
        except OSError:
            continue
    for name, family in (("netlink", 16), ("packet", 17), ("vsock", 40)):
        try:
            sockets.socket(family, sockets.SOCK_RAW if family == 17 else sockets.SOCK_DGRAM).close()
            found.append(name)
        except OSError:
            continue
    return found


def _processes(wanted: dict) -> "list[str]":
    """Processes in sight that are not the REPL's own (pid 1 is its supervisor)."""
    return sorted(_seen_pids() - {"1", str(os.getpid()), str(os.getppid())})


def _outside(wanted: dict) -> "list[int]":
    """The host's processes, without pids that are ours in here.

    Pid 1 of the box is its supervisor, which /proc does not list.
    """
    inside = _seen_pids() | {"1"} if wanted["namespaces"] else set()
    return [pid for pid in wanted["pids"] if str(pid) not in inside]


def _seen_pids() -> "set[str]":
    try:
        return {name for name in os.listdir("/proc") if name.isdigit()}
    except OSError:
        return set()


def _signals(wanted: dict) -> "list[str]":
    """Processes outside that a signal would reach. Signal 0 asks without doing anything."""
    found = []
    tgkill = 234 if MACHINE == "x86_64" else 131
    for pid in [*_outside(wanted), -1]:
        try:
            os.kill(pid, 0)
            found.append(str(pid))
        except OSError:
            continue
    for pid in _outside(wanted):
        if libc.syscall(ctypes.c_long(tgkill), ctypes.c_long(pid), ctypes.c_long(pid), ctypes.c_long(0)) == 0:
            found.append(f"{pid} by thread")
    return found


_PRIVILEGED = {
    "unshare": (272, 97, 0x10000000),
    "mount": (165, 40, 0),
    "ptrace": (101, 117, 0),
    "bpf": (321, 280, 0),
    "keyctl": (250, 219, 0),
    "io_uring_setup": (425, 425, 1),
    "userfaultfd": (323, 282, 0),
    "perf_event_open": (298, 241, 0),
    "setns": (308, 268, 0),
    "chroot": (161, 51, 0),
}


def _privileges() -> "list[str]":
    """Rights and calls that should be gone and are not."""
    found = []
    status = _status()
    if any(int(status.get(name, "0"), 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")):
        found.append("capabilities")
    # Only programs that gain rights when they are started use the bounding set, which an ordinary user cannot empty.
    if int(status.get("CapBnd", "0"), 16) and status.get("NoNewPrivs") != "1":
        found.append("capabilities of programs")
    if status and status.get("NoNewPrivs") != "1":
        found.append("set-user-id programs")
    if status and status.get("Seccomp") != "2":
        found.append("no system-call filter")
    index = 0 if MACHINE == "x86_64" else 1
    for name, numbers in _PRIVILEGED.items():
        if (
            libc.syscall(numbers[index], ctypes.c_long(numbers[2]), 0, 0, 0, 0) >= 0
            or ctypes.get_errno() != errno.EPERM
        ):
            found.append(name)
    for limit in ("RLIMIT_DATA", "RLIMIT_AS", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_NOFILE"):
        number = getattr(resource, limit)
        hard = resource.getrlimit(number)[1]
        try:
            resource.setrlimit(number, (hard + 1, hard + 1))
            found.append(limit)
        except (ValueError, OSError):
            continue
    return found


def _status() -> "dict[str, str]":
    try:
        with open("/proc/self/status") as file:
            return {name: value.strip() for name, _, value in (line.partition(":") for line in file)}
    except OSError:
        return {}


def _descriptors() -> "list[str]":
    """Open descriptors and where they lead."""
    found = []
    try:
        names = sorted(os.listdir("/proc/self/fd"), key=int)
    except OSError:
        return ["not shown"]
    for name in names:
        try:
            found.append(f"{name} {os.readlink(f'/proc/self/fd/{name}')}")
        except OSError:
            continue
    return found
