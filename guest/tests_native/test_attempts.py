"""The control of the proof: a process without walls succeeds at each attempt, and each kind of wall then refuses it."""

import os
import socket
import subprocess
import sys
import tempfile
import unittest

from fathom_native import attempts
from fathom_native.box import limits, seccomp
from fathom_native.decoys import Decoys


def in_child(filtered: bool, body: "object") -> "list[str]":
    """The attempts that succeed in a child that runs `body`, with or without the filter of boxes without namespaces."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        try:
            if filtered:
                limits.drop_capabilities()
                seccomp.restrict(seccomp.assemble(namespaces=False))
            os.write(write, "\n".join(body()).encode())
        except BaseException as error:
            os.write(write, f"failed: {error!r}".encode())
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as pipe:
        found = pipe.read().decode()
    os.waitpid(pid, 0)
    return found.split("\n") if found else []


class WithoutWalls(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.canary = f"{self.folder}/canary"
        with open(self.canary, "w") as file:
            file.write("here")
        self.decoys = Decoys(self.folder)
        self.addCleanup(self.decoys.close)
        self.host = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        self.addCleanup(self.host.wait)
        self.addCleanup(self.host.kill)
        self.wanted = {"canary": self.canary, "interpreter": [], "namespaces": False, "decoys": self.decoys.describe()}

    def metadata(self) -> "list[str]":
        return [name for name in attempts.changed_metadata(self.wanted) if name.endswith(f" of {self.canary}")]

    def shared(self) -> "list[str]":
        return attempts.shared_with_host(self.wanted, [self.host.pid])

    def test_metadata_of_a_file(self) -> None:
        before = os.stat(self.canary)
        found = in_child(False, self.metadata)
        names = [
            "mode",
            "mode by descriptor",
            "mode by path descriptor",
            "owner",
            "times",
            "times by descriptor",
            "lease",
        ]
        for name in names:
            self.assertIn(f"{name} of {self.canary}", found)
        after = os.stat(self.canary)
        self.assertEqual(
            (before.st_mode, before.st_uid, before.st_mtime_ns), (after.st_mode, after.st_uid, after.st_mtime_ns)
        )
        self.assertEqual(in_child(True, self.metadata), [])

    def test_objects_limits_and_processes_of_others(self) -> None:
        found = in_child(False, self.shared)
        expected = {f"System V {name}" for name in ("memory", "semaphore", "semaphore's value", "message")}
        expected |= {"POSIX queue", "named datagram", "named datagram by a raw socket"}
        expected |= {"inotify", "aio", "socket buffers", "pipe sizes"}
        expected |= {
            f"{name} of {self.host.pid}" for name in ("priority", "processors", "limits", "signals by a descriptor")
        }
        self.assertEqual(expected - set(found), set())
        self.assertEqual(in_child(True, self.shared), [])

    def test_nothing_of_the_decoys_is_left(self) -> None:
        before = sorted(os.listdir("/proc/sysvipc")), open_objects()
        folder = tempfile.mkdtemp()
        decoys = Decoys(folder)
        self.assertNotEqual(open_objects(), before[1])
        decoys.close()
        self.assertEqual(open_objects(), before[1])
        os.rmdir(folder)

    def test_a_datagram_arrives_without_the_filter_only(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            path = f"{self.folder}/listener"
            listener.bind(path)
            listener.setblocking(False)
            self.wanted["decoys"]["socket"] = path
            in_child(True, self.shared)
            with self.assertRaises(BlockingIOError):
                listener.recv(16)
            in_child(False, self.shared)
            self.assertEqual(listener.recv(16), b"fathom")


def open_objects() -> "list[str]":
    """System V objects of this user."""
    found = []
    for kind in ("shm", "sem", "msg"):
        try:
            with open(f"/proc/sysvipc/{kind}") as file:
                found += [f"{kind} {line.split()[1]}" for line in file.readlines()[1:]]
        except OSError:
            continue
    return sorted(found)
